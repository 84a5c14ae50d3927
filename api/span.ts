import type { AppRequest } from './context.ts'

/** What may stand in a log as it was sent: words and ids, no line of their own making. */
const WORD = /^[\w.:/+=-]{1,128}$/

/** The name of a request in replies and logs: what the caller calls it, or one made up. */
export function spanOf(c: AppRequest): string {
  const given = c.req.header('x-span-id')
  return given !== undefined && WORD.test(given) ? given : crypto.randomUUID()
}
