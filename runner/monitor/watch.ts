import type { Exited, Launcher, LauncherEvents, WatchedJob } from '../launcher/types.ts'
import { processesOf } from './job-processes.ts'
import { createTableReader, type ReadTable, type Seen } from './process-table.ts'

/** A launch of a job that runs now. */
export type Watched = {
  readonly tag: number
  readonly job: WatchedJob
  readonly pid: number
  readonly startedAtMs: number
}

/** Somebody who looks at the running jobs from time to time. */
export type Watcher = {
  everyMs: number
  /** Whether it wants to see this job now. */
  wants(watched: Watched, now: number): boolean
  /** It is told what processes its jobs have now; else it sees the jobs alone. */
  needsProcesses: boolean
  /** It looks when it wants to see no job, too. */
  worksWhenIdle: boolean
  /** Sees the jobs it wants, those left out whose main processes have just ended. */
  look(processes: ReadonlyMap<Watched, readonly Seen[]>, now: number): void
  /** A job has ended: what is known of it may be put into its exit. */
  ended?(watched: Watched, exited: Exited): void
}

export type OpenLauncher = (events: LauncherEvents) => Promise<Launcher>

export type Watch = {
  /** Somebody more who wants to look, from now on. */
  add(watcher: Watcher): void
  /** It looks no more. */
  remove(watcher: Watcher): void
  /** Opens launchers whose jobs are watched, one at a time. */
  around(open: OpenLauncher): OpenLauncher
  /** A job that runs already in the launcher that is opened next. */
  adopt(watched: Watched): void
  /** Kills what runs under this tag. */
  kill(tag: number): void
  close(): void
}

/**
 * Watches the jobs of a launcher from outside. However many want to look, /proc is read once for all that are due, and not at all while nobody
 * wants to see a job; one that ends before anybody looks costs two entries of a map.
 */
export function watchLaunches({
  clock = Date.now,
  readTable = createTableReader(),
}: {
  clock?: () => number
  readTable?: ReadTable
} = {}): Watch {
  const waiting = new Map<number, WatchedJob>()
  const running = new Map<number, Watched>()
  const watchers: Watcher[] = []
  const dueAtMs = new Map<Watcher, number>()
  let stepMs = Infinity
  let timer: NodeJS.Timeout | undefined
  let launcher: Launcher | undefined

  function look(): void {
    const now = clock()
    // The timer may come a little early.
    const due = watchers.filter(watcher => dueAtMs.get(watcher)! - now < stepMs / 2)
    for (const watcher of due) dueAtMs.set(watcher, now + watcher.everyMs)
    const wanted = due.map(watcher => [...running.values()].filter(watched => watcher.wants(watched, now)))
    const seen = findProcesses(new Set(due.flatMap((watcher, index) => (watcher.needsProcesses ? wanted[index]! : []))))
    due.forEach((watcher, index) => {
      const own = wanted[index]!
      if (own.length === 0 && !watcher.worksWhenIdle) return
      watcher.look(watcher.needsProcesses ? pick(seen, own) : new Map(own.map(watched => [watched, []])), now)
    })
  }

  function findProcesses(watched: ReadonlySet<Watched>): Map<Watched, Seen[]> {
    const found = new Map<Watched, Seen[]>()
    if (watched.size === 0) return found
    const mains = new Map([...watched].map(({ pid, tag }) => [pid, tag]))
    for (const [tag, processes] of processesOf(readTable(), mains)) found.set(running.get(tag)!, processes)
    return found
  }

  const around =
    (open: OpenLauncher): OpenLauncher =>
    async events => {
      const inner = await open({
        onStarted(started) {
          for (const { tag, pid, startedAtMs } of started) {
            const job = waiting.get(tag)
            waiting.delete(tag)
            if (job !== undefined) running.set(tag, { tag, job, pid, startedAtMs })
          }
          events.onStarted(started)
        },
        onExited(exited) {
          for (const end of exited) {
            const watched = running.get(end.tag)
            running.delete(end.tag)
            waiting.delete(end.tag)
            if (watched !== undefined) for (const watcher of watchers) watcher.ended?.(watched, end)
          }
          events.onExited(exited)
        },
        onLost(reason) {
          running.clear()
          waiting.clear()
          events.onLost(reason)
        },
      })
      launcher = inner
      return {
        kind: inner.kind,
        launch(request) {
          if (request.job !== undefined) waiting.set(request.tag, request.job)
          inner.launch(request)
        },
        signal: (tag, signal) => inner.signal(tag, signal),
        recall: (tag, onAnswer) =>
          inner.recall(tag, recalled => {
            if (recalled) waiting.delete(tag)
            onAnswer?.(recalled)
          }),
        close: options => inner.close(options),
      }
    }

  return {
    add(watcher) {
      watchers.push(watcher)
      dueAtMs.set(watcher, clock() + watcher.everyMs)
      if (watcher.everyMs >= stepMs) return
      stepMs = watcher.everyMs
      clearInterval(timer)
      timer = setInterval(look, stepMs).unref()
    },
    remove(watcher) {
      const at = watchers.indexOf(watcher)
      if (at >= 0) watchers.splice(at, 1)
      dueAtMs.delete(watcher)
    },
    around,
    adopt: watched => void running.set(watched.tag, watched),
    kill: tag => launcher?.signal(tag, 'SIGKILL'),
    close: () => clearInterval(timer),
  }
}

const pick = <K, V>(all: ReadonlyMap<K, V>, keys: readonly K[]): Map<K, V> =>
  new Map(keys.flatMap(key => (all.has(key) ? [[key, all.get(key)!] as const] : [])))
