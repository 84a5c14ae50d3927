import type { IncomingMessage } from 'node:http'
import type { AppRequest } from '../context.ts'

/**
 * Where a request comes from: the other end of its connection, or what a proxy says that we were told to believe. Of several addresses
 * in its header the last one counts that is no such proxy: those before it are the caller's own words.
 */
export function peerAddress(trustedProxies: readonly string[] = []): (c: AppRequest) => string | undefined {
  const trusted = new Set(trustedProxies)
  return c => {
    const peer = (c.env as { incoming?: IncomingMessage } | undefined)?.incoming?.socket.remoteAddress
    const plain = peer?.replace(/^::ffff:(?=\d+\.)/i, '')
    if (plain === undefined || !trusted.has(plain)) return plain
    const said = (c.req.header('x-forwarded-for') ?? '').split(',').map(address => address.trim())
    return said.reverse().find(address => address !== '' && !trusted.has(address)) ?? plain
  }
}
