import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { codeOf, StartError } from './start-error.ts'

/** How long requests may take to end when the server stops. */
const CLOSE_MS = 5_000
/** How often a stopping server looks for connections that have nothing more to do. */
const IDLE_LOOK_MS = 20

/** Binds the server to an address; StartError when that cannot be had. */
export function listen(server: Server, host: string, port: number): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', error => reject(listenError(error, host, port)))
    server.listen(port, host, () => resolve(server.address() as AddressInfo))
  })
}

function listenError(error: Error, host: string, port: number): Error {
  switch (codeOf(error)) {
    case 'EADDRINUSE':
      return new StartError(
        `Cannot listen on ${host}:${port} as another program does: choose another port, or 0 for any free one`,
      )
    case 'EACCES':
      return new StartError(`Cannot listen on port ${port} as this user may not: choose one above 1023`)
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new StartError(`Cannot listen on ${host} as this machine has no such address`)
    default:
      return error
  }
}

/** Stops accepting and waits until the requests that run have ended, or cuts them off. */
export async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>(resolve => server.close(() => resolve()))
  // A connection kept alive becomes idle when its last request ends, which may be after the first look.
  const idle = setInterval(() => server.closeIdleConnections(), IDLE_LOOK_MS)
  const deadline = setTimeout(() => server.closeAllConnections(), CLOSE_MS)
  await closed
  clearInterval(idle)
  clearTimeout(deadline)
}
