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

/** How a launch ended, from the numbers that reports and the journal hold: a code of -1 and zeros mean "not this". */
export function describeEnd(code: number, signal: number, error: number, step: number): Partial<Exited> {
  if (error !== 0) return { error: getSystemErrorName(-error), failedStep: STEPS[step] }
  return signal !== 0 ? { signal } : { code }
}

/** Peak memory in bytes, or nothing where it is 0: not known. */
export function describePeak(bytes: number): Partial<Exited> {
  return bytes > 0 ? { peakMemoryBytes: bytes } : {}
}

/** The end of a launch of which nothing ever ran. */
export function neverRan(tag: number, error: string, failedStep: FailedStep): Exited {
  const now = Date.now()
  return { tag, error, failedStep, startedAtMs: now, exitedAtMs: now, userMs: 0, systemMs: 0, strays: 0 }
}
