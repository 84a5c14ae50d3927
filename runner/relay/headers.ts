import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import { authorization, type Proof } from '../client/authorization.ts'

/** They belong to one connection, not to the message (RFC 9110, 7.6.1); the host is the one that is asked. */
const OF_ONE_CONNECTION = new Set([
  'connection',
  'host',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** Leaves out what belongs to one connection, and what the `connection` header names beside that. */
export function passedOn(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  const named = (headers.connection ?? '').split(',').map(name => name.trim().toLowerCase())
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !OF_ONE_CONNECTION.has(name) && !named.includes(name)),
  )
}

/**
 * The headers of a request as the server is asked. The relay's own token stands for whoever runs the relay; any other proof goes on
 * as it is, for the server to judge. undefined: there is no proof at all, and nothing is passed on.
 *
 * The server is told that somebody else speaks: a relay beside it would otherwise lend every caller its own user's trust.
 */
export function headersFor(request: IncomingMessage, token: string, own: Proof): Record<string, string> | undefined {
  const given = request.headers.authorization
  if (given === undefined) return undefined
  const proof = isToken(given, token) ? authorization(own) : { authorization: given }
  const forwarded = [request.headers['x-forwarded-for'], request.socket.remoteAddress].filter(
    part => part !== undefined,
  )
  const { authorization: _, ...rest } = passedOn(request.headers)
  return { ...(rest as Record<string, string>), ...proof, 'x-forwarded-for': forwarded.join(', ') }
}

/** A token comes as Bearer, or as the password of Basic, which is all that Torc's clients can send. */
function isToken(given: string, token: string): boolean {
  const [, scheme = '', value = ''] = /^(\S+)\s+(\S+)$/.exec(given) ?? []
  switch (scheme.toLowerCase()) {
    case 'bearer':
      return isSame(value, token)
    case 'basic': {
      const pair = Buffer.from(value, 'base64').toString('utf8')
      return isSame(pair.slice(pair.indexOf(':') + 1), token)
    }
    default:
      return false
  }
}

/** In a time that does not tell how much of it is right. */
const isSame = (one: string, other: string): boolean => timingSafeEqual(digest(one), digest(other))
const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
