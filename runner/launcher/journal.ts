import { appendFileSync, closeSync, openSync, readSync } from 'node:fs'
import { readBootId, readProcess } from './processes.ts'
import { formatRecord, type JournaledLaunch, type JournalRecord, type LauncherLife, parseRecord } from './records.ts'
import type { LauncherKind } from './types.ts'

export type { JournaledLaunch, LauncherLife } from './records.ts'

/** What a journal holds, in the order of its records; `skipped` counts the lines that are torn or not ours. */
export type Journal = { lives: LauncherLife[]; launches: JournaledLaunch[]; skipped: number }

/** Records that a launcher begins, and whose it is. The line break before it keeps it apart from a line that a crash tore. */
export function recordLife(path: string, launcherId: string, kind: LauncherKind, pid: number): void {
  const ticks = (of: number) => readProcess(of)?.startTicks ?? 0
  const runner = [process.pid, ticks(process.pid)]
  appendFileSync(path, `\n${formatRecord('L', launcherId, kind, pid, ticks(pid), ...runner, readBootId(), Date.now())}`)
}

/** Records that nothing of a life runs any more. On a full disk it stays unsaid, and the next start looks in vain for what is left. */
export function recordLifeEnd(path: string, launcherId: string): void {
  try {
    appendFileSync(path, `\n${formatRecord('C', launcherId)}`)
  } catch {
    // Not worth an error to somebody who is about to end.
  }
}

/**
 * Of launches that have ended the last so many count. A journal has all of a runner's life, which may be millions; what ended before these
 * was told long ago, or stands in the outbox.
 */
const ENDED_KEPT = 100_000

/** Reads what a journal holds; a file that is not there is an empty one. */
export function readJournal(path: string): Journal {
  const lives = new Map<string, LauncherLife>()
  const launches = createLaunches()
  let skipped = 0
  for (const line of readLines(path)) {
    if (line === '') continue
    const record = parseRecord(line)
    if (!record || !takeRecord(record, lives, launches)) skipped += 1
  }
  return { lives: [...lives.values()], launches: launches.list(), skipped }
}

/** False when the record speaks of something that was never begun. */
function takeRecord(record: JournalRecord, lives: Map<string, LauncherLife>, launches: Launches): boolean {
  switch (record.type) {
    case 'life':
      lives.set(record.life.launcherId, record.life)
      return true
    case 'start':
      launches.start(record.launch)
      return true
    case 'exit':
      return launches.exit(record)
    case 'life end': {
      const life = lives.get(record.launcherId)
      if (life) life.closed = true
      return life !== undefined
    }
  }
}

type Launches = {
  start(launch: JournaledLaunch): void
  exit(record: Extract<JournalRecord, { type: 'exit' }>): boolean
  list(): JournaledLaunch[]
}

function createLaunches(): Launches {
  const byKey = new Map<string, JournaledLaunch>()
  /** Each in the place of the one that ended so many before it. */
  const ended: string[] = []
  let count = 0
  return {
    start: launch => void byKey.set(`${launch.launcherId}.${launch.tag}`, launch),
    exit({ launcherId, exit, cut }) {
      const key = `${launcherId}.${exit.tag}`
      const launch = byKey.get(key)
      if (launch === undefined) return false
      Object.assign(launch, { exit, cut })
      const place = count++ % ENDED_KEPT
      const former = ended[place]
      if (former !== undefined) byKey.delete(former)
      ended[place] = key
      return true
    },
    list: () => [...byKey.values()],
  }
}

const CHUNK_BYTES = 2 ** 20

/** Piece by piece: no string could hold the journal of some million launches. */
function* readLines(path: string): Generator<string> {
  const file = openIfThere(path)
  if (file === undefined) return
  try {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES)
    let rest = ''
    for (let length = readSync(file, chunk); length > 0; length = readSync(file, chunk)) {
      const lines = (rest + chunk.toString('latin1', 0, length)).split('\n')
      rest = lines.pop()!
      yield* lines
    }
    yield rest
  } finally {
    closeSync(file)
  }
}

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
