import { readFileSync } from 'node:fs'
import { parseCpuList } from '../capacity/cores.ts'
import type { Grant } from '../capacity/ledger.ts'
import { isAlive, listProcesses, MARK_NAME, readProcess } from '../launcher/processes.ts'

/** A launch that a former resident part lent to, as its processes tell it. `pid` is its client's. */
export type FoundLaunch = { id: string; pid: number; held: Grant }

/** The client's process, which is part of every launch's id. */
export const clientOf = (id: string): number => Number(/-(\d+)-\d+$/.exec(id)?.[1] ?? 0)

/**
 * Finds launches of former resident parts of the same socket by the marks of their processes. What they hold is counted until their
 * clients report or are gone; memory is known only to the clients.
 */
export function findSurvivors(prefix: string): FoundLaunch[] {
  const cores = new Map<string, Set<number>>()
  const gpus = new Map<string, Set<string>>()
  for (const found of listProcesses()) {
    const env = isAlive(found) ? readEnvironment(found.pid) : undefined
    // The outermost launch holds what those inside it use; inside a job it is the job.
    const [id] = env?.get(MARK_NAME)?.split(' ') ?? []
    if (env === undefined || !id?.startsWith(`${prefix}.`)) continue
    addAll(cores, id, parseCores(env.get('HEADRACE_CORES')))
    addAll(gpus, id, env.get('HEADRACE_GPUS')?.split(',') ?? [])
  }
  return [...cores].map(([id, own]) => ({
    id,
    pid: clientOf(id),
    held: { cores: [...own], gpus: [...(gpus.get(id) ?? [])], memoryBytes: 0 },
  }))
}

export const isClientAlive = ({ pid }: { pid: number }): boolean => isAlive(readProcess(pid))

const parseCores = (text: string | undefined): number[] =>
  text !== undefined && /^\d+(,\d+)*$/.test(text) ? parseCpuList(text) : []

function addAll<T>(map: Map<string, Set<T>>, id: string, items: readonly T[]): void {
  const known = map.get(id) ?? new Set()
  for (const item of items) known.add(item)
  map.set(id, known)
}

function readEnvironment(pid: number): Map<string, string> | undefined {
  try {
    const entries = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')
    return new Map(entries.map(entry => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]))
  } catch {
    // Another user's, or gone.
    return undefined
  }
}
