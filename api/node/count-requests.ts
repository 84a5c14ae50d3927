import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { RequestStats } from '../request-stats.ts'

/** Counts every request of a server when its answer has gone, with the bytes that its connection has carried for it. */
export function countRequests(server: Server, stats: RequestStats): void {
  const carried = new WeakMap<Socket, { read: number; written: number }>()
  server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    response.on('close', () => {
      const before = carried.get(socket) ?? { read: 0, written: 0 }
      const now = { read: socket.bytesRead, written: socket.bytesWritten }
      carried.set(socket, now)
      stats.count({
        status: response.statusCode,
        bytesIn: now.read - before.read,
        bytesOut: now.written - before.written,
      })
    })
  })
}
