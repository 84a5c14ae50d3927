import { getSystemErrorName } from 'node:util'
import type { Exited, FailedStep } from './types.ts'

/** By the numbers of native/launcher.h. */
const STEPS: readonly (FailedStep | undefined)[] = [
  undefined,
  'stdout',
  'stderr',
  'cwd',
  'cpus',
  'fork',
  'exec',
  'canceled',
]

/**
 * Adds how a launch ended, from the numbers that reports and the journal hold: a code of -1 and zeros mean "not this", a peak of 0 bytes
 * that it is not known. One by one: an engine copies objects into each other many times slower, and every job comes through here.
 */
export function addEnd(
  exited: Exited,
  code: number,
  signal: number,
  error: number,
  step: number,
  peakBytes: number,
): void {
  if (error !== 0) {
    exited.error = getSystemErrorName(-error)
    exited.failedStep = STEPS[step]
  } else if (signal !== 0) exited.signal = signal
  else exited.code = code
  if (peakBytes > 0) exited.peakMemoryBytes = peakBytes
}

/** The end of a launch of which nothing ever ran. */
export function neverRan(tag: number, error: string, failedStep: FailedStep): Exited {
  const now = Date.now()
  return { tag, error, failedStep, startedAtMs: now, exitedAtMs: now, userMs: 0, systemMs: 0, strays: 0 }
}
