import { closeSync, ftruncateSync, openSync, readSync, statSync, writeSync } from 'node:fs'
import type { Watcher } from '../monitor/watch.ts'

/** How often the logs of running jobs are looked at. */
const EVERY_MS = 1_000
/** What `stat` counts allocated space in, on every system. */
const BLOCK_BYTES = 512
/** A running job's log is cut when it takes this many times the cap: each cut loses what came last. */
const SLACK = 2

/** Keeps the log files of jobs small: of one that is larger the beginning and the end are kept, and a line says what is missing. */
export function createLogCap(capBytes: number): Watcher {
  return {
    everyMs: EVERY_MS,
    wants: ({ job }) => job.logPaths !== undefined,
    needsProcesses: false,
    worksWhenIdle: false,
    look(processes) {
      for (const { job } of processes.keys()) for (const path of job.logPaths ?? []) cutRunning(path, capBytes)
    },
    ended({ job }) {
      for (const path of job.logPaths ?? []) cutEnded(path, capBytes)
    },
  }
}

/**
 * Gives back the space of all but the beginning. Whoever writes goes on behind a hole that takes no space, so that a log never takes more than
 * the slack and what is written between two looks.
 */
function cutRunning(path: string, capBytes: number): void {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined || found.blocks * BLOCK_BYTES <= SLACK * capBytes) return
  edit(path, file => ftruncateSync(file, half(capBytes)))
}

/** Puts the end behind the beginning, with a word about what was between. */
function cutEnded(path: string, capBytes: number): void {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined || found.size <= capBytes) return
  edit(path, file => {
    const end = withoutHole(readAt(file, found.size - half(capBytes), half(capBytes)))
    const left = found.size - half(capBytes) - end.length
    const word = Buffer.from(`\n[headrace: ${left} bytes are left out here]\n`)
    const rest = Buffer.concat([word, end])
    writeSync(file, rest, 0, rest.length, half(capBytes))
    ftruncateSync(file, half(capBytes) + rest.length)
  })
}

const half = (capBytes: number): number => Math.floor(capBytes / 2)

/** A log that is gone or cannot be changed keeps its size: no job fails for that. */
function edit(path: string, change: (file: number) => void): void {
  try {
    const file = openSync(path, 'r+')
    try {
      change(file)
    } finally {
      closeSync(file)
    }
  } catch {
    // See above.
  }
}

function readAt(file: number, at: number, length: number): Buffer {
  const buffer = Buffer.alloc(length)
  return buffer.subarray(0, readSync(file, buffer, 0, length, at))
}

/** What was cut while the job ran reads as zeros. */
function withoutHole(bytes: Buffer): Buffer {
  const start = bytes.findIndex(byte => byte !== 0)
  return start < 0 ? bytes.subarray(0, 0) : bytes.subarray(start)
}
