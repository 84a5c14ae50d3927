import { findHierarchies } from './cgroup.ts'
import type { System } from './system.ts'

export type Memory = { bytes: number; source: string }

/** Finds how much memory jobs may use in all: the machine's, or less when a group of this process or an ancestor is limited. */
export function detectMemory(system: System): Memory {
  const limits = findHierarchies(system, 'memory').flatMap(({ version, directories }) =>
    directories.map(directory => {
      const file = `${directory}/${version === 2 ? 'memory.max' : 'memory.limit_in_bytes'}`
      return { bytes: Number.parseInt(system.read(file) ?? 'max', 10), source: `cgroup memory limit (${directory})` }
    }),
  )
  // "max" is no number; version 1 writes a number beyond any machine instead.
  return limits
    .filter(limit => limit.bytes > 0)
    .reduce((least, limit) => (limit.bytes < least.bytes ? limit : least), machine(system))
}

function machine(system: System): Memory {
  const kib = /^MemTotal:\s*(\d+) kB/m.exec(system.read('/proc/meminfo') ?? '')?.[1]
  if (kib === undefined) return { bytes: system.fallback.memoryBytes, source: 'operating system' }
  return { bytes: Number(kib) * 1024, source: 'machine' }
}
