import { readFileSync } from 'node:fs'
import type { Exited } from '../launcher/types.ts'
import type { Seen } from '../monitor/process-table.ts'
import type { Watched, Watcher } from '../monitor/watch.ts'
import type { ClaimedJob } from '../wire.ts'

/** How often is looked. A job may take more for as long; where that is too long, its cgroup has to hold it. */
const EVERY_MS = 1_000
/** A job that is younger may be gone at once: streams of short jobs cost no look. */
const SHORT_MS = 250

export type MemoryGuardOptions = {
  kill(tag: number): void
  note(line: string): void
}

/**
 * Kills jobs whose processes hold more memory together than was asked for. Pages that several of them share count once.
 */
export function createMemoryGuard({ kill, note }: MemoryGuardOptions): Watcher {
  const killed = new Map<Watched, number>()
  return {
    everyMs: EVERY_MS,
    wants: ({ job, startedAtMs }, now) => job.memoryLimitBytes !== undefined && now - startedAtMs >= SHORT_MS,
    needsProcesses: true,
    worksWhenIdle: false,
    look(processes) {
      for (const [watched, seen] of processes) {
        const { memoryLimitBytes: limitBytes } = watched.job
        if (limitBytes === undefined || killed.has(watched)) continue
        const usedBytes = memoryAbove(limitBytes, seen)
        if (usedBytes === undefined) continue
        killed.set(watched, usedBytes)
        kill(watched.tag)
        note(
          `Job ${watched.job.name} (${watched.job.id}) is ended as it holds more memory than it asked for: ${mib(usedBytes)} used, ${mib(limitBytes)} asked`,
        )
      }
    },
    ended(watched, exited) {
      const usedBytes = killed.get(watched)
      killed.delete(watched)
      if (usedBytes !== undefined) exited.overMemoryBytes = usedBytes
    },
  }
}

/** The memory of these processes if it is more than the limit. What is shared is looked at only where it decides. */
function memoryAbove(limitBytes: number, processes: readonly Seen[]): number | undefined {
  const resident = processes.reduce((sum, seen) => sum + seen.residentBytes, 0)
  if (resident <= limitBytes) return undefined
  const used = processes.reduce((sum, seen) => sum + readShare(seen), 0)
  return used > limitBytes ? used : undefined
}

/** A process's memory with what it shares divided among those that share it; all that is resident where nobody tells (Linux < 4.14). */
function readShare({ pid, residentBytes }: Seen): number {
  try {
    const kib = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'))?.[1]
    return kib === undefined ? residentBytes : Number(kib) * 1024
  } catch {
    return residentBytes
  }
}

/** What is to be said of a job that the kernel has killed, of which the runner saw the end alone; undefined of any other. */
export function describeKernelKill(
  { name, id, resource_requirements: set }: Pick<ClaimedJob, 'name' | 'id' | 'resource_requirements'>,
  { overMemoryBytes, peakMemoryBytes }: Pick<Exited, 'overMemoryBytes' | 'peakMemoryBytes'>,
  failureClass: string | undefined,
): string | undefined {
  if (failureClass !== 'oom' || overMemoryBytes !== undefined) return undefined
  const used = peakMemoryBytes === undefined ? 'unknown how much' : mib(peakMemoryBytes)
  return `Job ${name} (${id}) was killed by the kernel for want of memory: ${used} used, ${mib(set.memory_bytes)} asked`
}

const mib = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20)} MiB`
