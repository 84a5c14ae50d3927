import { findHierarchies } from './cgroup.ts'
import type { System } from './system.ts'

export type Cores = { ids: number[]; source: string }

/**
 * Lists the cores this process may use: those of its affinity mask, and no more of them than its CPU quota pays for (at least one).
 * Where there is no /proc the runtime's count is taken.
 */
export function detectCores(system: System): Cores {
  const allowed = /^Cpus_allowed_list:\s*(\S+)/m.exec(system.read('/proc/self/status') ?? '')?.[1]
  const ids = allowed === undefined ? [...Array(system.fallback.cpus).keys()] : parseCpuList(allowed)
  const quota = cpuQuota(system)
  if (quota !== undefined && quota.cpus < ids.length) {
    return { ids: ids.slice(0, Math.max(1, Math.floor(quota.cpus))), source: quota.source }
  }
  return { ids, source: allowed === undefined ? 'operating system' : 'CPU affinity' }
}

/** Reads a list like `0-3,8,10-11`. */
export function parseCpuList(text: string): number[] {
  return text.split(',').flatMap(part => {
    const [first, last = first] = part.split('-').map(Number)
    return Array.from({ length: last! - first! + 1 }, (_, index) => first! + index)
  })
}

/** The smallest quota of this process's group and its ancestors, in CPUs. */
function cpuQuota(system: System): { cpus: number; source: string } | undefined {
  const quotas = findHierarchies(system, 'cpu').flatMap(({ version, directories }) =>
    directories.map(directory => {
      const cpus = version === 2 ? quotaOfVersion2(system, directory) : quotaOfVersion1(system, directory)
      return { cpus, source: `cgroup CPU quota (${directory})` }
    }),
  )
  return quotas.filter(quota => quota.cpus > 0).sort((a, b) => a.cpus - b.cpus)[0]
}

/** `cpu.max` holds quota and period in microseconds, or `max` and the period. */
function quotaOfVersion2(system: System, directory: string): number {
  const [quota, period] = (system.read(`${directory}/cpu.max`) ?? 'max').split(' ').map(Number)
  return ratio(quota, period)
}

/** A quota of -1 means none. */
function quotaOfVersion1(system: System, directory: string): number {
  const [quota, period] = ['cpu.cfs_quota_us', 'cpu.cfs_period_us'].map(name =>
    Number(system.read(`${directory}/${name}`)),
  )
  return ratio(quota, period)
}

/** Anything that is not a quota in force gives 0. */
function ratio(quota: number | undefined, period: number | undefined): number {
  return quota !== undefined && period !== undefined && quota > 0 && period > 0 ? quota / period : 0
}
