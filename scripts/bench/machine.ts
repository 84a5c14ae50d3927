import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os'
import { join } from 'node:path'

/** What every figure has to be read beside. */
export type Machine = {
  date: string
  node: string
  libsql: string
  durability: string
  cores: number
  cpu: string
  memoryGib: number
  loadAverage: number[]
}

export function describeMachine(root: string, durability: string): Machine {
  const { version } = JSON.parse(readFileSync(join(root, 'node_modules/libsql/package.json'), 'utf8')) as {
    version: string
  }
  return {
    date: new Date().toISOString(),
    node: process.version,
    libsql: version,
    durability,
    cores: availableParallelism(),
    cpu: cpus()[0]?.model ?? 'unknown',
    memoryGib: Math.round(totalmem() / 2 ** 30),
    loadAverage: loadavg().map(load => Math.round(load * 100) / 100),
  }
}

export function renderMachine({ date, node, libsql, durability, cores, cpu, memoryGib, loadAverage }: Machine): string {
  return `${date}, Node ${node}, libSQL ${libsql}, durability ${durability}, ${cores} cores (${cpu}), ${memoryGib} GiB, load average ${loadAverage.join(' ')}\n`
}
