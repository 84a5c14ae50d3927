import { basename, dirname } from 'node:path'
import { findHierarchies } from '../capacity/cgroup.ts'
import { hostSystem, type System } from '../capacity/system.ts'
import { RUNNER_LEAF } from '../launcher/memory-groups.ts'

/** Tells whether the kernel has killed a process of this runner's group for want of memory lately: each kill explains one end. */
export type OomWatch = { hasKilled(): boolean }

type Kills = { processes: number; groups: number }

/** A kill that explained no end by then was of a process whose job went on. */
const RECENT_MS = 1_000

/**
 * Watches the counters of the cgroup, which counts its descendants as well. Where there is none that can be read, nothing is known and the
 * answer is no: a kill then stays what it looks like, a signal.
 */
export function watchOom(system: System = hostSystem(), clock: () => number = Date.now): OomWatch {
  const files = findHierarchies(system, 'memory').flatMap(({ version, directories }) =>
    directories.slice(0, 1).map(path => (version === 2 ? eventsOf(path) : `${path}/memory.oom_control`)),
  )
  const count = (name: string): number =>
    files.reduce(
      (sum, path) => sum + Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(system.read(path) ?? '')?.[1] ?? 0),
      0,
    )
  // A slot's group is killed whole (launcher/native/group.c): that is one end, however many processes it had.
  const kills = (): Kills => ({ processes: count('oom_kill'), groups: count('oom_group_kill') })
  let seen = kills()
  let unexplained = 0
  let lastSeenMs = 0
  return {
    hasKilled() {
      const now = clock()
      const before = seen
      seen = kills()
      if (now - lastSeenMs > RECENT_MS) unexplained = 0
      const added = seen.groups - before.groups || seen.processes - before.processes
      if (added > 0) {
        unexplained += added
        lastSeenMs = now
      }
      if (unexplained === 0) return false
      unexplained--
      return true
    },
  }
}

/** A runner that has moved into a leaf has its jobs beside it, and the group above counts both. */
const eventsOf = (path: string): string => `${basename(path) === RUNNER_LEAF ? dirname(path) : path}/memory.events`
