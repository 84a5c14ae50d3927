/**
 * A latched wake-up: a notice that comes while nobody waits is kept once, and several merge into one. Counters instead would
 * wake again for what was already seen; moments of time lose notices that share a millisecond.
 */
export type WakeUp = {
  notify(): void
  /** Resolves true at the next notice, at once when one was kept, and false after `ms` without any. One waiter at a time. */
  wait(ms: number): Promise<boolean>
}

export function createWakeUp(): WakeUp {
  let kept = false
  let waiter: ((noticed: boolean) => void) | undefined

  return {
    notify() {
      if (waiter === undefined) kept = true
      else waiter(true)
    },
    wait(ms) {
      if (kept) {
        kept = false
        return Promise.resolve(true)
      }
      return new Promise(resolve => {
        const timer = setTimeout(() => waiter?.(false), ms)
        waiter = noticed => {
          clearTimeout(timer)
          waiter = undefined
          resolve(noticed)
        }
      })
    },
  }
}
