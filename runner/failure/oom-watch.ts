import { findHierarchies } from '../capacity/cgroup.ts'
import { hostSystem, type System } from '../capacity/system.ts'

/** Tells whether the kernel has killed a process of this runner's group for want of memory since the last question. */
export type OomWatch = { hasKilled(): boolean }

/**
 * Watches the counters of the cgroup, which counts its descendants as well. Where there is none that can be read, nothing is known and the
 * answer is no: a kill then stays what it looks like, a signal.
 */
export function watchOom(system: System = hostSystem()): OomWatch {
  const files = findHierarchies(system, 'memory').flatMap(({ version, directories }) =>
    directories.slice(0, 1).map(path => `${path}/${version === 2 ? 'memory.events' : 'memory.oom_control'}`),
  )
  const kills = (): number =>
    files.reduce((sum, path) => sum + Number(/^oom_kill (\d+)$/m.exec(system.read(path) ?? '')?.[1] ?? 0), 0)
  let seen = kills()
  return {
    hasKilled() {
      const before = seen
      seen = kills()
      return seen > before
    },
  }
}
