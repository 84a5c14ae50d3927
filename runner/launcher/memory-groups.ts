import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { findHierarchies } from '../capacity/cgroup.ts'
import { hostSystem, type System } from '../capacity/system.ts'
import { createTableReader } from '../monitor/process-table.ts'
import { readProcess } from './processes.ts'

/** Where the runner itself goes: a group that hands its limits on to groups below it may hold no process. */
export const RUNNER_LEAF = 'headrace-runner'
const OURS = /^headrace-(\d+)$/

/** The group whose children can have memory limits, as far as this user may make them. */
type Home = { path: string; readyFor: 'children' | 'enabling' } | { whyNot: string }

/**
 * Makes a cgroup (version 2) below which the slots of launchers have theirs, each with the memory limit of the job that runs in it. undefined where
 * that cannot be had: no version 2, no right to it, or processes in the group that are none of ours, which are not ours to move. What a
 * runner left behind that was killed is removed.
 */
export function openMemoryGroups(system: System = hostSystem()): string | undefined {
  const home = findHome(system)
  if ('whyNot' in home) return undefined
  try {
    if (home.readyFor === 'enabling') enable(home.path)
    removeLeftovers(home.path)
    const path = join(home.path, `headrace-${process.pid}`)
    mkdirSync(path, { recursive: true })
    writeFileSync(join(path, 'cgroup.subtree_control'), '+memory')
    return path
  } catch {
    return undefined
  }
}

/** Tells why a runner that is started like this program cannot have memory groups; undefined where it can. */
export function whyNoMemoryGroups(system: System = hostSystem()): string | undefined {
  const home = findHome(system)
  return 'whyNot' in home ? home.whyNot : undefined
}

/** Removes what `openMemoryGroups` made, once the launchers have ended, and what they have left to whom this runner has taken over from. */
export function closeMemoryGroups(path: string): void {
  const home = dirname(path)
  removeTree(path)
  try {
    removeLeftovers(home)
    if (existsSync(join(home, RUNNER_LEAF))) disable(home)
  } catch {
    // Another runner has its jobs there.
  }
}

/** Makes a group for a slot of the stand-in and puts it there; one that cannot be had is done without, as the sampler looks as well. */
export function enterGroup(path: string, pid: number): void {
  try {
    mkdirSync(path, { recursive: true })
    writeFileSync(join(path, 'cgroup.procs'), String(pid))
  } catch {
    // See above.
  }
}

function findHome(system: System): Home {
  const own = findHierarchies(system, 'memory').find(({ version }) => version === 2)?.directories[0]
  if (own === undefined) return { whyNot: 'there are no cgroups of version 2' }
  const path = basename(own) === RUNNER_LEAF ? dirname(own) : own
  const wordsOf = (name: string): string[] =>
    (system.read(join(path, name)) ?? '').split(/\s+/).filter(word => word !== '')
  if (!wordsOf('cgroup.controllers').includes('memory')) return { whyNot: `${path} has no memory controller` }
  if (!['', 'cgroup.procs', 'cgroup.subtree_control'].every(name => isWritable(join(path, name))))
    return { whyNot: `${path} may not be written` }
  if (wordsOf('cgroup.subtree_control').includes('memory')) return { path, readyFor: 'children' }
  const inside = wordsOf('cgroup.procs').map(Number)
  return areOurs(inside)
    ? { path, readyFor: 'enabling' }
    : { whyNot: `${path} has other processes than the runner's, such as the shell that starts it` }
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK)
    return true
  } catch {
    return false
  }
}

/** Whether these are this process and what it has started. */
function areOurs(pids: readonly number[]): boolean {
  const table = createTableReader()()
  return pids.every(pid => {
    for (let at: number | undefined = pid; at !== undefined && at > 1; at = table.get(at)?.parent) {
      if (at === process.pid) return true
    }
    return false
  })
}

function enable(path: string): void {
  const leaf = join(path, RUNNER_LEAF)
  mkdirSync(leaf, { recursive: true })
  moveProcesses(path, leaf)
  writeFileSync(join(path, 'cgroup.subtree_control'), '+memory')
}

/** Undoes `enable`: whoever has made the group can put processes into it again. Fails while another runner has groups there. */
function disable(path: string): void {
  const leaf = join(path, RUNNER_LEAF)
  writeFileSync(join(path, 'cgroup.subtree_control'), '-memory')
  moveProcesses(leaf, path)
  rmdirSync(leaf)
}

function moveProcesses(from: string, to: string): void {
  const pids = readFileSync(join(from, 'cgroup.procs'), 'utf8').split('\n')
  for (const pid of pids) if (pid !== '') writeFileSync(join(to, 'cgroup.procs'), pid)
}

function removeLeftovers(home: string): void {
  for (const name of readdirSync(home)) {
    const pid = OURS.exec(name)?.[1]
    if (pid !== undefined && readProcess(Number(pid)) === undefined) removeTree(join(home, name))
  }
}

/** A group that still holds a process stays. */
function removeTree(path: string): void {
  try {
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      if (entry.isDirectory()) rmdirSync(join(path, entry.name))
    }
    rmdirSync(path)
  } catch {
    // The kernel says that it is in use; the next runner tries again.
  }
}
