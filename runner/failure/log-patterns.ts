import type { Matcher } from '../../api/core/spec/env.ts'
import { readFileEnd } from '../file-end.ts'
import { type LogFiles, logPaths } from '../stdio.ts'

/** Of each log only the end is searched: what went wrong stands there, and a log may be huge. */
const SEARCHED_BYTES = 65_536

/**
 * Gives a function that tells whether a pattern is in an attempt's logs. They are read at the first question only. A log that is not there
 * and a pattern that cannot be used match nothing.
 */
export function searchLogs(logs: LogFiles, matcher: Matcher): (pattern: string) => boolean {
  let texts: string[] | undefined
  return pattern => {
    texts ??= logPaths(logs).map(path => readFileEnd(path, SEARCHED_BYTES))
    const compiled = matcher.compile(pattern)
    return 'test' in compiled && texts.some(text => compiled.test(text))
  }
}
