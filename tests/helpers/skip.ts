import { appendFileSync } from 'node:fs'
import { it, type TestAPI } from 'vitest'

/**
 * Gives `it` when the machine can run a test, else `it.skip`, and says why: in the file that HEADRACE_SKIPS names, which the test script
 * prints at its end. The long test run (HEADRACE_LONG=1) has to have everything, so there a missing condition is an error.
 */
export function skipUnless(condition: boolean, reason: string): TestAPI | TestAPI['skip'] {
  if (condition) return it
  noteSkip(reason)
  return it.skip
}

/** Notes that something was left out of a test on this machine; an error in the long run. */
export function noteSkip(reason: string): void {
  if (process.env.HEADRACE_LONG === '1') throw new Error(`Cannot skip in the long run: ${reason}`)
  if (process.env.HEADRACE_SKIPS) appendFileSync(process.env.HEADRACE_SKIPS, `${reason}\n`)
}
