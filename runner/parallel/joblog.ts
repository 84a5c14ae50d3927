import { closeSync, existsSync, openSync, readFileSync, writeSync } from 'node:fs'
import { cannotRun, usageError } from '../command-line/error.ts'
import { whyUnwritable } from '../text-file.ts'

/** One line of a job log in GNU parallel's form, so that either program goes on where the other stopped. */
export type LogLine = {
  seq: number
  startedAtMs: number
  runtimeMs: number
  /** Bytes of output. */
  received: number
  exitValue: number
  signal: number
  command: string
}

const HEAD = 'Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n'

export type Joblog = { add(line: LogLine): void; close(): void }

/** Opens a job log; with `keep` lines are added to what is there. Each line is whole on the disk's side when `add` returns. */
export function openJoblog(path: string, keep: boolean): Joblog {
  const file = open(path, keep ? 'a' : 'w')
  const before = keep ? readFileSync(path, 'utf8') : ''
  if (before === '') writeSync(file, HEAD)
  // Half a line of one that was killed must not swallow the next.
  else if (!before.endsWith('\n')) writeSync(file, '\n')
  return {
    add: line => void writeSync(file, lineOf(line)),
    close: () => closeSync(file),
  }
}

function open(path: string, flag: 'a' | 'w'): number {
  try {
    return openSync(path, flag)
  } catch (error) {
    throw cannotRun(`Cannot write the job log ${path}: ${whyUnwritable(error)}`)
  }
}

function lineOf({ seq, startedAtMs, runtimeMs, received, exitValue, signal, command }: LogLine): string {
  const start = (startedAtMs / 1000).toFixed(3).padStart(10)
  const runtime = (runtimeMs / 1000).toFixed(3).padStart(10)
  return `${[seq, ':', start, runtime, 0, received, exitValue, signal, command.replaceAll('\n', ' ')].join('\t')}\n`
}

/**
 * The numbers of the jobs that need not run again: all in the log, or with `failedAgain` those whose last line tells of success. A log that is
 * not there yet has none. Throws a usage error at a file that is no job log, before anything is written to it.
 */
export function readJoblog(path: string, failedAgain: boolean): Set<number> {
  const done = new Set<number>()
  if (!existsSync(path)) return done
  const [head, ...lines] = readFileSync(path, 'utf8').split('\n')
  if (head !== '' && !head!.startsWith('Seq\tHost\t')) throw usageError(`Cannot resume by ${path} as it is no job log`)
  for (const line of lines) {
    const fields = line.split('\t')
    // The last line may be half of one: its job runs again.
    if (fields.length < 9) continue
    const seq = Number(fields[0])
    if (failedAgain && (fields[6] !== '0' || fields[7] !== '0')) done.delete(seq)
    else done.add(seq)
  }
  return done
}
