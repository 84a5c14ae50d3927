import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { isAlive, readProcess } from './launcher/processes.ts'

/**
 * What a runner leaves beside its outputs while it runs, so that the next one can clear up after it: one directory per host, because
 * many nodes may share an output directory.
 */
export type NodeState = {
  pid: number
  /** Field 22 of /proc/PID/stat: with the pid it names one process for sure. Absent where there is no /proc. */
  pidStartTicks?: number
  /** Its node in each workflow it has worked for. */
  nodes: readonly { workflowId: number; computeNodeId: number }[]
  /** Where its jobs started, and their outputs count from. */
  cwd: string
}

/** `outbox` is made when it is needed. */
export type NodeDirectory = { path: string; journal: string; statePath: string; outbox: string }

/**
 * Makes the directory of this host's runner; in an element of an allocation that element's, since a scheduler may put several on one host.
 * Throws the system's error when it cannot be written.
 */
export function openNodeDirectory(outputDir: string, env: NodeJS.ProcessEnv = process.env): NodeDirectory {
  const { HEADRACE_ALLOCATION_NAME: allocation, HEADRACE_WORKER: worker = '1', HEADRACE_NODE_RANK: rank } = env
  const place = [hostname(), allocation, worker, rank].filter(part => part !== undefined)
  const name = allocation === undefined ? hostname() : place.join('.')
  const path = join(outputDir, 'runner', name)
  mkdirSync(path, { recursive: true, mode: 0o700 })
  return {
    path,
    journal: join(path, 'launches.journal'),
    statePath: join(path, 'state.json'),
    outbox: join(path, 'outbox'),
  }
}

/** Reads what the last runner left; undefined when it ended cleanly or left nothing readable. */
export function readNodeState(directory: NodeDirectory): NodeState | undefined {
  try {
    return JSON.parse(readFileSync(directory.statePath, 'utf8')) as NodeState
  } catch {
    return undefined
  }
}

/** Writes the state whole or not at all. */
export function writeNodeState(directory: NodeDirectory, state: Omit<NodeState, 'pid' | 'pidStartTicks'>): void {
  const whole: NodeState = { pid: process.pid, pidStartTicks: readProcess(process.pid)?.startTicks, ...state }
  const temporary = `${directory.statePath}.tmp`
  writeFileSync(temporary, JSON.stringify(whole), { mode: 0o600 })
  renameSync(temporary, directory.statePath)
}

/** Forgets everything: the runner has told all it knew. */
export function clearNodeDirectory(directory: NodeDirectory): void {
  rmSync(directory.journal, { force: true })
  rmSync(directory.statePath, { force: true })
}

/** Tells whether the runner that left this state still runs. */
export function stillRuns(state: NodeState): boolean {
  if (state.pid === process.pid) return false
  // Without /proc there is only the pid, which another process may have by now: then the user is asked to look.
  if (state.pidStartTicks === undefined) return canSignal(state.pid)
  const found = readProcess(state.pid)
  return isAlive(found) && found.startTicks === state.pidStartTicks
}

function canSignal(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
