import { appendFileSync, readFileSync } from 'node:fs'
import { readBootId, readProcess } from './processes.ts'
import { formatRecord, type JournaledLaunch, type LauncherLife, parseRecord } from './records.ts'
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

export function recordLifeEnd(path: string, launcherId: string): void {
  appendFileSync(path, `\n${formatRecord('C', launcherId)}`)
}

/** Reads what a journal holds; a file that is not there is an empty one. */
export function readJournal(path: string): Journal {
  const lives = new Map<string, LauncherLife>()
  const launches = new Map<string, JournaledLaunch>()
  let skipped = 0
  for (const line of readText(path).split('\n')) {
    if (line === '') continue
    const record = parseRecord(line)
    if (record?.type === 'life') lives.set(record.life.launcherId, record.life)
    else if (record?.type === 'start') launches.set(keyOf(record.launch.launcherId, record.launch.tag), record.launch)
    else if (record?.type === 'exit') {
      const launch = launches.get(keyOf(record.launcherId, record.exit.tag))
      if (launch) Object.assign(launch, { exit: record.exit, cut: record.cut })
      else skipped += 1
    } else if (record?.type === 'life end') {
      const life = lives.get(record.launcherId)
      if (life) life.closed = true
    } else skipped += 1
  }
  return { lives: [...lives.values()], launches: [...launches.values()], skipped }
}

function keyOf(launcherId: string, tag: number): string {
  return `${launcherId}.${tag}`
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
}
