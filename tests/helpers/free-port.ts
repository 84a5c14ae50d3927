import { once } from 'node:events'
import { createServer } from 'node:net'

/** Below the ports that Linux gives to connections by itself, so that none of those gets this one before it is used, or between two uses. */
const FIRST = 20_000
const COUNT = 12_000
/** Each worker of the tests has ports of its own: two servers at one port would be one, with the data of the other's tests. */
const WORKERS = 16
const PER_WORKER = COUNT / WORKERS
const worker = Number(process.env.VITEST_POOL_ID ?? 0) % WORKERS

let next = Math.floor(Math.random() * PER_WORKER)

/** A port of the loopback that nothing listens on now, another one at each call. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST + worker * PER_WORKER + (next++ % PER_WORKER)
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
