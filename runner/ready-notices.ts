import type { ServerAddress } from './client/server-address.ts'
import type { Notices } from './loop.ts'

/** Notices of ready work, and who is to hear of them. */
export type ReadyNotices = Notices & { direct(onReady: () => void): void }

/** After a stream that broke off: the first pause, and the longest. Who polls anyway loses little by waiting. */
const FIRST_PAUSE_MS = 1_000
const PAUSE_CAP_MS = 60_000

/**
 * Hears from a server when work becomes ready that this runner serves (docs/api.md, GET /claims/stream), over one connection that is open
 * while it listens. A server that has no such stream, or no room for one, is polled all the same.
 */
export function createReadyNotices(address: ServerAddress, env: NodeJS.ProcessEnv, query: string): ReadyNotices {
  let onReady = (): void => {}
  let open: AbortController | undefined

  async function follow(signal: AbortSignal): Promise<void> {
    const [{ readEventStream }, { createBackOff }] = await Promise.all([
      import('./client/event-stream.ts'),
      import('./back-off.ts'),
    ])
    const pauses = createBackOff({ firstMs: FIRST_PAUSE_MS, capMs: PAUSE_CAP_MS, jitter: 0.5 })
    while (!signal.aborted) {
      try {
        for await (const event of readEventStream(address, env, { path: `/claims/stream${query}`, signal })) {
          pauses.reset()
          if (event.type === 'ready') onReady()
        }
      } catch {
        // Polling goes on meanwhile, and says what is wrong when that fails as well.
      }
      await pause(pauses.next(), signal)
    }
  }

  return {
    direct(next) {
      onReady = next
    },
    listen() {
      if (open !== undefined) return
      open = new AbortController()
      void follow(open.signal)
    },
    hush() {
      open?.abort()
      open = undefined
    },
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) return resolve()
    const timer = setTimeout(end, ms).unref()
    signal.addEventListener('abort', end, { once: true })
    function end(): void {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
  })
}
