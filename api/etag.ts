import type { AppRequest } from './context.ts'
import { fingerprint } from './core/fingerprint.ts'

/** Answers with a body and its ETag, or with 304 and nothing when the client's `If-None-Match` names it already. */
export function replyUnlessKnown(c: AppRequest, body: object): Response {
  const text = JSON.stringify(body)
  const tag = `"${fingerprint(text)}"`
  c.header('ETag', tag)
  // A client has to ask each time: the answer changes while nobody tells it.
  c.header('Cache-Control', 'no-cache')
  if (names(c.req.header('if-none-match'), tag)) return c.body(null, 304)
  return c.body(text, 200, { 'Content-Type': 'application/json' })
}

/** The comparison of RFC 9110 13.1.2: any of the list, weak or not. */
function names(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false
  return header.split(',').some(given => {
    const name = given.trim().replace(/^W\//, '')
    return name === '*' || name === tag
  })
}
