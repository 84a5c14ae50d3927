import { setTimeout as sleep } from 'node:timers/promises'
import { hostSystem } from '../capacity/system.ts'
import type { RunSettings } from '../run-options.ts'
import type { Progress } from '../screen/types.ts'
import { lastMoment, ownEnd } from './end-of-allocation.ts'
import { findInside } from './inside.ts'
import { startDelayMs } from './start-delay.ts'
import type { Inside } from './types.ts'

/**
 * Fits what a runner is to do into the allocation that it runs in, if any: it ends in time unless --end-time says when, and it does not
 * come to the control plane in the same moment as all the others of its array.
 */
export async function withinAllocation<T extends RunSettings>(
  options: T,
  progress: Progress,
  env: NodeJS.ProcessEnv = process.env,
): Promise<T> {
  const inside = findInside(hostSystem('/', env))
  if (inside === undefined) return options
  await sleep(startDelayMs(inside, Math.random()))
  if (options.endTimeMs !== undefined) return options
  const { endAtMs, trouble } = lastMoment(inside, await askTimeLeft(inside, env), Date.now())
  if (trouble !== undefined)
    progress.note(`Cannot tell when this allocation ends as ${trouble}: give --end-time, or its end will be a surprise`)
  return { ...options, endTimeMs: endAtMs }
}

/** One question, and only when our script has not said it: thousands of elements would ask at once. */
async function askTimeLeft(inside: Inside, env: NodeJS.ProcessEnv) {
  if (ownEnd(inside) !== undefined) return undefined
  const [{ findScheduler }, { hostRuntime }] = await Promise.all([import('./find.ts'), import('./runtime.ts')])
  return findScheduler(inside.scheduler, hostRuntime(env)).timeLeft(inside)
}
