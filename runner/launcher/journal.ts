import { appendFileSync, readFileSync } from 'node:fs'
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

/** Reads what a journal holds; a file that is not there is an empty one. */
export function readJournal(path: string): Journal {
  const lives = new Map<string, LauncherLife>()
  const launches = new Map<string, JournaledLaunch>()
  let skipped = 0
  for (const line of readText(path).split('\n')) {
    if (line === '') continue
    const record = parseRecord(line)
    if (!record || !takeRecord(record, lives, launches)) skipped += 1
  }
  return { lives: [...lives.values()], launches: [...launches.values()], skipped }
}

/** False when the record speaks of something that was never begun. */
function takeRecord(
  record: JournalRecord,
  lives: Map<string, LauncherLife>,
  launches: Map<string, JournaledLaunch>,
): boolean {
  switch (record.type) {
    case 'life':
      lives.set(record.life.launcherId, record.life)
      return true
    case 'start':
      launches.set(`${record.launch.launcherId}.${record.launch.tag}`, record.launch)
      return true
    case 'exit': {
      const launch = launches.get(`${record.launcherId}.${record.exit.tag}`)
      if (launch) Object.assign(launch, { exit: record.exit, cut: record.cut })
      return launch !== undefined
    }
    case 'life end': {
      const life = lives.get(record.launcherId)
      if (life) life.closed = true
      return life !== undefined
    }
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
}
