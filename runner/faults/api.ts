import type { LoopApi } from '../loop.ts'
import type { Dice } from './dice.ts'

const LATEST_REPLY_MS = 2_000

/** The control plane over a bad network. Whom a fault hits is the n-th request of this runner. */
export function disturbApi(api: LoopApi, dice: Dice, pause: (ms: number) => Promise<void> = sleep): LoopApi {
  let requests = 0

  async function disturb<T>(send: () => Promise<T>, unanswered: T): Promise<T> {
    const whom = String(++requests)
    if (dice.hits('kill-runner', whom)) process.kill(process.pid, 'SIGKILL')
    if (dice.hits('drop-request', whom)) return unanswered
    const reply = await send()
    if (dice.hits('repeat-request', whom)) await send()
    if (dice.hits('delay-reply', whom)) await pause(dice.fraction('delay-reply', whom) * LATEST_REPLY_MS)
    return dice.hits('drop-reply', whom) ? unanswered : reply
  }

  return {
    exchange: request => disturb(() => api.exchange(request), undefined),
    release: claims => disturb(() => api.release(claims), false),
    heartbeat: (...told) => disturb(() => api.heartbeat(...told), undefined),
    isShutOut: api.isShutOut,
    summary: () => disturb(() => api.summary(), undefined),
  }
}

const sleep = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))
