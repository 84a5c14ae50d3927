import { addEnd } from './outcome.ts'
import type { TickWindow } from './processes.ts'
import { decodeLabel } from './request.ts'
import type { Exited, LauncherKind } from './types.ts'

/**
 * The journal's records. One line, one record; fields are separated by a space and closed by `#` and the length of what
 * stands before, so that a torn line shows. The stand-in reads its shells' records there.
 *
 *   L launcher kind pid startTicks runnerPid runnerStartTicks bootId epochMs       a launcher's life begins
 *   S launcher tag pid fromTicks toTicks startedMs label                           pid 0: could not be started
 *   E launcher tag code signal errno step startedMs exitedMs userMs systemMs peakBytes strays cut
 *   C launcher                                                                     that life is over, nothing of it runs
 */
export type JournalRecord =
  | { type: 'life'; life: LauncherLife }
  | { type: 'start'; launch: JournaledLaunch }
  | { type: 'exit'; launcherId: string; exit: Exited; cut: boolean }
  | { type: 'life end'; launcherId: string }

export type JournaledLaunch = {
  launcherId: string
  tag: number
  label: string
  /** Also its process group; 0 when it could not be started. */
  pid: number
  startedAtMs: number
  /** In which the process started: with another start time it is another process. Zeros when it was gone too soon to tell. */
  window: TickWindow
  exit?: Exited
  /** Killed by the launcher at the runner's death or at closing: its exit says nothing about the job. */
  cut: boolean
}

export type LauncherLife = {
  launcherId: string
  kind: LauncherKind
  pid: number
  startTicks: number
  runnerPid: number
  runnerStartTicks: number
  bootId: string
  closed: boolean
}

export function formatRecord(...fields: (string | number)[]): string {
  const text = fields.join(' ')
  return `${text} #${text.length}\n`
}

/** undefined when the line is torn, or not one of ours. */
export function parseRecord(line: string): JournalRecord | undefined {
  const end = line.lastIndexOf(' #')
  if (end < 0 || line.slice(end + 2) !== String(end)) return undefined
  const [type, launcherId = '', ...fields] = line.slice(0, end).split(' ')
  switch (type) {
    case 'L':
      return parseLife(launcherId, fields)
    case 'S':
      return parseStart(launcherId, fields)
    case 'E':
      return parseExit(launcherId, fields)
    case 'C':
      return { type: 'life end', launcherId }
    default:
      return undefined
  }
}

function parseNumbers(fields: string[], count: number): number[] | undefined {
  const numbers = fields.slice(0, count).map(Number)
  return numbers.length === count && !numbers.some(Number.isNaN) ? numbers : undefined
}

function parseLife(launcherId: string, [kind, ...fields]: string[]): JournalRecord | undefined {
  const numbers = parseNumbers(fields, 4)
  const bootId = fields[4]
  if ((kind !== 'native' && kind !== 'shell') || !numbers || bootId === undefined) return undefined
  const [pid = 0, startTicks = 0, runnerPid = 0, runnerStartTicks = 0] = numbers
  return {
    type: 'life',
    life: { launcherId, kind, pid, startTicks, runnerPid, runnerStartTicks, bootId, closed: false },
  }
}

function parseStart(launcherId: string, fields: string[]): JournalRecord | undefined {
  const numbers = parseNumbers(fields, 5)
  const label = decodeLabel(fields[5] ?? '')
  if (!numbers || label === undefined) return undefined
  const [tag = 0, pid = 0, fromTicks = 0, toTicks = 0, startedAtMs = 0] = numbers
  return {
    type: 'start',
    launch: { launcherId, tag, label, pid, startedAtMs, window: { fromTicks, toTicks }, cut: false },
  }
}

function parseExit(launcherId: string, fields: string[]): JournalRecord | undefined {
  const numbers = parseNumbers(fields, 12)
  if (!numbers) return undefined
  const [tag = 0, code = 0, signal = 0, error = 0, step = 0, startedAtMs = 0, exitedAtMs = 0] = numbers
  const [userMs = 0, systemMs = 0, peakBytes = 0, strays = 0, cut = 0] = numbers.slice(7)
  const exit: Exited = { tag, startedAtMs, exitedAtMs, userMs, systemMs, strays }
  addEnd(exit, code, signal, error, step, peakBytes)
  return { type: 'exit', launcherId, exit, cut: cut === 1 }
}
