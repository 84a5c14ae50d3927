import { readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { homedir, hostname } from 'node:os'
import { join } from 'node:path'
import { isAlive, readProcess } from '../../launcher/processes.ts'
import type { ListedElement, Verdict } from '../types.ts'

/** What is known of a local allocation from its submission on. */
export type LocalAllocation = { name: string; first: number; last: number; plain: boolean }

/** How long a supervisor may take to write its process id. */
const STARTING_MS = 10_000

/** Where this host's allocations lie: a home may be shared, processes are not. */
export const stateRoot = (env: NodeJS.ProcessEnv): string =>
  env.HEADRACE_LOCAL_STATE ??
  join(env.XDG_STATE_HOME ?? join(homedir(), '.local', 'state'), 'headrace', 'allocations', hostname())

/** Ids of what was submitted on this host; empty before the first. Throws when the directory cannot be read. */
export function listIds(root: string): string[] {
  try {
    return readdirSync(root).filter(name => /^\d+$/.test(name))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/** undefined when there is no such allocation, or its submission did not get that far. Throws when the state cannot be read. */
export function readAllocation(directory: string): LocalAllocation | undefined {
  try {
    return JSON.parse(readFileSync(join(directory, 'allocation.json'), 'utf8')) as LocalAllocation
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Written whole or not at all. */
export function writeState(directory: string, name: string, text: string): void {
  const temporary = join(directory, `${name}.${process.pid}.tmp`)
  writeFileSync(temporary, text)
  renameSync(temporary, join(directory, name))
}

/** Every element of an allocation as its files and processes have it. */
export function readElements(
  directory: string,
  id: string,
  { name, first, last, plain }: LocalAllocation,
  nowMs: number,
): ListedElement[] {
  const waiting: Verdict = supervisorLives(directory, nowMs) ? 'queued' : 'gone'
  return Array.from({ length: last - first + 1 }, (_, step): ListedElement => {
    const index = first + step
    const { state, word } = readElement(directory, index, waiting)
    return { allocation: id, index: plain ? undefined : index, state, word, stuck: false, name }
  })
}

function readElement(directory: string, index: number, waiting: Verdict): { state: Verdict; word: string } {
  const end = readText(join(directory, `${index}.end`))
  if (end !== undefined) return { state: 'gone', word: `ended ${end.trim()}` }
  const pid = readText(join(directory, `${index}.pid`))
  if (pid === undefined) return { state: waiting, word: waiting === 'queued' ? 'waits' : 'lost' }
  return groupOf(pid) === undefined ? { state: 'gone', word: 'lost' } : { state: 'running', word: 'runs' }
}

/** Process groups of the elements that run, for whoever ends them when there is no supervisor any more. */
export function liveGroups(directory: string): number[] {
  return readdirSync(directory)
    .filter(name => /^\d+\.pid$/.test(name))
    .map(name => groupOf(readText(join(directory, name)) ?? ''))
    .filter(group => group !== undefined)
}

export const supervisorLives = (directory: string, nowMs: number): boolean => {
  const pid = readText(join(directory, 'pid'))
  if (pid !== undefined) return groupOf(pid) !== undefined
  const made = statSync(join(directory, 'allocation.json'), { throwIfNoEntry: false })
  return made !== undefined && nowMs - made.mtimeMs < STARTING_MS
}

/** The process of a line `PID START` when it is still the one that was meant. */
function groupOf(line: string): number | undefined {
  const [pid, startTicks] = line.trim().split(' ').map(Number)
  const found = pid === undefined ? undefined : readProcess(pid)
  return isAlive(found) && found.startTicks === startTicks ? pid : undefined
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
