import { workflowsWithNews } from '../db/stream-events.ts'
import type { Db } from '../db/unit.ts'
import type { Stopping } from './context.ts'

/** Pause between looks at the table. A dependant's runner hears within this time that work has become ready. */
const LOOK_MS = 50
/** More for each stream that the last look woke, up to a second: many who listen to a busy workflow hear more at a time instead. */
const LOOK_MS_PER_WOKEN = 5
const LONGEST_LOOK_MS = 1_000
/** How often somebody looks for waiters whose time is over. */
const SWEEP_MS = 500
/** Another instance may write to the same database: looks that our own writes do not ask for. */
const FOREIGN_LOOK_MS = 1_000
/** Workflows looked at in one go; with more of them some hear a look or a few later. */
const LOOKED_AT = 200

type Waiter = { workflowId: number; after: number; until: number; end(news: boolean): void }

/** Waits for events on behalf of all streams of a server, so that a thousand idle ones cost one look. */
export type EventWatch = {
  /** Resolves with true once the workflow has an event after this number, with false after `forMs`, or when `signal` says so. */
  newer(workflowId: number, after: number, forMs: number, signal: AbortSignal): Promise<boolean>
}

/** Begins to look when somebody waits, and stops when nobody does. `stopping` lets everybody go. */
export function createEventWatch(db: Db, stopping: Stopping): EventWatch {
  const waiting = new Map<number, Set<Waiter>>()
  /** Workflows whose waiters came after the last look: those that are busy are looked at every time. And those still due. */
  const unseen = new Set<number>()
  let due: number[] = []
  let seenWrites = -1
  let lookedAt = Number.NEGATIVE_INFINITY
  let sweptAt = Number.NEGATIVE_INFINITY
  let looking = false

  stopping.addEventListener('abort', () => {
    for (const waiters of [...waiting.values()]) settleAll(waiters, () => true, false)
  })

  function settle(waiter: Waiter, news: boolean): void {
    const waiters = waiting.get(waiter.workflowId)
    if (!waiters?.delete(waiter)) return
    if (waiters.size === 0) waiting.delete(waiter.workflowId)
    waiter.end(news)
  }

  /** Gives the number of streams that it woke. */
  async function look(): Promise<number> {
    const now = performance.now()
    // Whoever is due has his turn before anybody has a second one, however much is written.
    if (due.length === 0 && (db.writeTransactions !== seenWrites || now - lookedAt >= FOREIGN_LOOK_MS)) {
      seenWrites = db.writeTransactions
      lookedAt = now
      due = [...waiting.keys()]
      unseen.clear()
    }
    const asked = new Map<number, number>()
    for (const id of [...unseen, ...due.splice(0, LOOKED_AT)]) {
      const waiters = waiting.get(id)
      if (waiters !== undefined) asked.set(id, Math.min(...[...waiters].map(waiter => waiter.after)))
    }
    unseen.clear()
    let woken = 0
    // Those who know of all events already are woken with the others, and wait again.
    for (const id of asked.size === 0 ? [] : await db.read(() => workflowsWithNews(asked)))
      woken += settleAll(waiting.get(id) ?? [], () => true, true)
    if (now - sweptAt >= SWEEP_MS) {
      sweptAt = now
      for (const waiters of [...waiting.values()]) settleAll(waiters, waiter => waiter.until <= now, false)
    }
    return woken
  }

  function settleAll(waiters: Iterable<Waiter>, isMeant: (waiter: Waiter) => boolean, news: boolean): number {
    const meant = [...waiters].filter(isMeant)
    for (const waiter of meant) settle(waiter, news)
    return meant.length
  }

  async function goOn(): Promise<void> {
    let woken = 0
    try {
      woken = await look()
    } catch {
      // Streams that wait find out themselves what is wrong with the database, when they read.
      for (const waiters of [...waiting.values()]) settleAll(waiters, () => true, true)
    }
    looking = waiting.size > 0 || woken > 0
    if (looking) setTimeout(() => void goOn(), Math.min(LOOK_MS + woken * LOOK_MS_PER_WOKEN, LONGEST_LOOK_MS))
  }

  return {
    newer(workflowId, after, forMs, signal) {
      if (stopping.aborted || signal.aborted) return Promise.resolve(false)
      return new Promise(resolve => {
        const leave = () => settle(waiter, false)
        const end = (news: boolean) => {
          signal.removeEventListener('abort', leave)
          resolve(news)
        }
        const waiter: Waiter = { workflowId, after, until: performance.now() + forMs, end }
        signal.addEventListener('abort', leave)
        const waiters = waiting.get(workflowId) ?? new Set()
        waiting.set(workflowId, waiters.add(waiter))
        unseen.add(workflowId)
        if (!looking) setTimeout(() => void goOn(), LOOK_MS)
        looking = true
      })
    },
  }
}
