import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { AppRequest } from '../context.ts'
import { peerUid } from './peer-uid.ts'

const LOOPBACK_HOST = /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/i

/** Whether only this machine can connect to a server on this host. */
export const isLoopback = (host: string): boolean => LOOPBACK_HOST.test(host)

/**
 * Tells for a server on loopback whether a request may do without the token: its connection comes from a process of our own user
 * (login nodes are shared), and no web page or proxy speaks through it.
 */
export function trustsOwnUser(): (c: AppRequest) => boolean {
  const own = process.getuid?.()
  // Looked up once for each connection, at its first request.
  const ofOwnUser = new WeakMap<Socket, boolean>()
  return c => {
    const socket = (c.env as { incoming?: IncomingMessage } | undefined)?.incoming?.socket
    if (socket === undefined || own === undefined || !speaksForItself(c)) return false
    let trusted = ofOwnUser.get(socket)
    if (trusted === undefined) {
      trusted = peerUid(socket) === own
      ofOwnUser.set(socket, trusted)
    }
    return trusted
  }
}

/**
 * A page of a foreign site in our user's browser also comes from our user: it shows in Origin, or in a Host that is not this machine
 * (a name its owner points here). A proxy says so in its own headers, and may serve anybody.
 */
function speaksForItself(c: AppRequest): boolean {
  const host = c.req.header('host')
  const origin = c.req.header('origin')
  if (c.req.header('x-forwarded-for') !== undefined || c.req.header('forwarded') !== undefined) return false
  if (host !== undefined && !isLoopback(host.replace(/:\d+$/, ''))) return false
  return origin === undefined || origin === `http://${host}`
}
