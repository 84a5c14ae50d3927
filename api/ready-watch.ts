import { listReadyMarks } from '../db/served-workflows.ts'
import type { Db } from '../db/unit.ts'
import type { Stopping } from './context.ts'

/** Pause between looks: a dependant's runner hears within this time that work has become ready. */
const LOOK_MS = 50
/** Another instance may write to the same database: looks that our own writes do not ask for. */
const FOREIGN_LOOK_MS = 1_000
/** Listeners told by one look. The others hear at the next ones, if there is still something ready: few jobs want few runners. */
const TOLD_AT_ONCE = 64

/** Somebody who wants to know when work is ready: in one workflow, or in any. */
export type Listener = {
  /** Resolves with true when something may have become ready since the last call, with false after `forMs`, or when it is over. */
  next(forMs: number): Promise<boolean>
  leave(): void
}

export type ReadyWatch = { listen(workflowId: number | undefined): Listener }

type Waiting = { workflowId: number | undefined; isDue: boolean; end: ((news: boolean) => void) | undefined }

/** Looks for ready work on behalf of all listeners of a server, so that a thousand idle runners cost one look, and none when nothing is written. */
export function createReadyWatch(db: Db, stopping: Stopping): ReadyWatch {
  const listeners = new Set<Waiting>()
  /** The newest event of each workflow when it had ready jobs last. */
  let seen = new Map<number, number | null>()
  let seenWrites = -1
  let lookedAtMs = Number.NEGATIVE_INFINITY
  let isLooking = false

  stopping.addEventListener('abort', () => {
    for (const listener of listeners) listener.end?.(false)
  })

  async function look(): Promise<void> {
    const now = performance.now()
    if (db.writeTransactions !== seenWrites || now - lookedAtMs >= FOREIGN_LOOK_MS) {
      seenWrites = db.writeTransactions
      lookedAtMs = now
      const found = new Map((await db.read(() => listReadyMarks(wantedWorkflows()))).map(({ id, seq }) => [id, seq]))
      const hasNews = (id: number): boolean => found.has(id) && found.get(id) !== seen.get(id)
      const anyNews = [...found.keys()].some(hasNews)
      for (const listener of listeners) {
        const { workflowId } = listener
        if (workflowId === undefined ? anyNews : hasNews(workflowId)) listener.isDue = true
        else if (workflowId === undefined ? found.size === 0 : !found.has(workflowId)) listener.isDue = false
      }
      seen = found
    }
    let told = 0
    for (const listener of listeners) {
      if (!listener.isDue || listener.end === undefined) continue
      listener.isDue = false
      listener.end(true)
      if (++told === TOLD_AT_ONCE) break
    }
  }

  /** Undefined for all: somebody listens to any. */
  function wantedWorkflows(): number[] | undefined {
    const ids = new Set<number>()
    for (const { workflowId } of listeners) {
      if (workflowId === undefined) return undefined
      ids.add(workflowId)
    }
    return [...ids]
  }

  async function goOn(): Promise<void> {
    // A database that does not answer now is asked again; whoever listens polls as well.
    await look().catch(() => {})
    isLooking = listeners.size > 0
    if (isLooking) setTimeout(() => void goOn(), LOOK_MS)
  }

  return {
    listen(workflowId) {
      const listener: Waiting = { workflowId, isDue: false, end: undefined }
      listeners.add(listener)
      if (!isLooking) setTimeout(() => void goOn(), LOOK_MS)
      isLooking = true
      return {
        next(forMs) {
          if (stopping.aborted || !listeners.has(listener)) return Promise.resolve(false)
          return new Promise(resolve => {
            const timer = setTimeout(() => listener.end?.(false), forMs)
            listener.end = news => {
              clearTimeout(timer)
              listener.end = undefined
              resolve(news)
            }
          })
        },
        leave() {
          listeners.delete(listener)
          listener.end?.(false)
        },
      }
    },
  }
}
