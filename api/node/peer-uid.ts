import { closeSync, openSync, readSync } from 'node:fs'
import type { Socket } from 'node:net'

/** An established connection in /proc/net/tcp. Sockets in other states may show uid 0 whoever had them. */
const ESTABLISHED = '01'
/** The kernel hands over a page at a time. */
const READ_BYTES = 4096

/**
 * Finds out whose process holds the other end of a connection within this machine: Linux lists every socket with its owner.
 * Undefined when that cannot be learnt, on other systems always.
 */
export function peerUid(socket: Socket): number | undefined {
  const { remoteAddress, remotePort, localAddress, localPort } = socket
  if (process.platform !== 'linux' || !remoteAddress || !remotePort || !localAddress || !localPort) return undefined
  for (const [table, toHex] of [
    ['/proc/net/tcp', hexOfIpv4],
    ['/proc/net/tcp6', hexOfIpv6],
  ] as const) {
    const from = toHex(remoteAddress)
    const to = toHex(localAddress)
    if (from === undefined || to === undefined) continue
    const uid = uidIn(table, `${from}:${hexOfPort(remotePort)}`, `${to}:${hexOfPort(localPort)}`)
    if (uid !== undefined) return uid
  }
  return undefined
}

/** Reads a table as far as the socket that is looked for: the kernel needs milliseconds to go through all that there may be. */
function uidIn(path: string, from: string, to: string): number | undefined {
  let file: number | undefined
  try {
    file = openSync(path, 'r')
    const bytes = Buffer.allocUnsafe(READ_BYTES)
    for (let unfinished = ''; ; ) {
      const length = readSync(file, bytes)
      if (length === 0) return undefined
      const text = unfinished + bytes.toString('latin1', 0, length)
      const end = text.lastIndexOf('\n') + 1
      const uid = findUid(text.slice(0, end), from, to)
      if (uid !== undefined) return uid
      unfinished = text.slice(end)
    }
  } catch {
    return undefined
  } finally {
    if (file !== undefined) closeSync(file)
  }
}

/** Looks up the socket whose own address is `from` and whose peer is `to`. Columns: number, local, remote, state, ..., uid (the eighth). */
export function findUid(table: string, from: string, to: string): number | undefined {
  for (const line of table.split('\n')) {
    if (!line.includes(from)) continue
    const [, local, remote, state, , , , uid] = line.trim().split(/\s+/)
    if (local === from && remote === to && state === ESTABLISHED) return Number(uid)
  }
  return undefined
}

const hexOfPort = (port: number): string => port.toString(16).toUpperCase().padStart(4, '0')

/** The kernel prints each 32-bit word of an address in the machine's own byte order, which is little-endian wherever Node runs. */
const hexOfWord = (bytes: readonly number[]): string =>
  [...bytes]
    .reverse()
    .map(byte => byte.toString(16).toUpperCase().padStart(2, '0'))
    .join('')

const MAPPED = /^::ffff:/i

function hexOfIpv4(address: string): string | undefined {
  const parts = address.replace(MAPPED, '').split('.').map(Number)
  return parts.length === 4 ? hexOfWord(parts) : undefined
}

/** Of the IPv6 addresses only those that loopback connections have are needed: ::1, and IPv4 in IPv6 clothes. */
function hexOfIpv6(address: string): string | undefined {
  if (address === '::1') return `${'0'.repeat(24)}01000000`
  const ipv4 = hexOfIpv4(address)
  return ipv4 === undefined ? undefined : `${'0'.repeat(16)}FFFF0000${ipv4}`
}
