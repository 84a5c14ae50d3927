import { once } from 'node:events'
import { createServer } from 'node:net'

/** Below the ports that Linux gives to connections by itself, so that none of those gets this one before it is used, or between two uses. */
const FIRST = 20_000
const COUNT = 12_000

/** A port of the loopback that nothing listens on now. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * COUNT)
    const server = createServer()
    const isFree = new Promise<boolean>(resolve => {
      server.once('listening', () => resolve(true))
      server.once('error', () => resolve(false))
    })
    server.listen(port, '127.0.0.1')
    if (!(await isFree)) continue
    server.close()
    await once(server, 'close')
    return port
  }
}
