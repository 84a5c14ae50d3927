import type { Amounts, ReadyGroup } from './types.ts'

/** Ready jobs of a group that no node is found for yet. */
export type Load = { group: ReadyGroup; left: number }

/** A node, or a part of one, for a while. */
export type Bin = { free: Amounts; nodes: number; seconds: number }

/**
 * Puts as many jobs as fit into a bin, in the order of the loads, each slot one job after the other until the time is over. Takes
 * them from the loads. `area` is the part of the bin that is used, in seconds of the whole bin, by its scarcest resource.
 */
export function fill(bin: Bin, loads: readonly Load[]): { jobs: number; area: number } {
  const rest = { ...bin.free }
  let nodesLeft = bin.nodes
  let jobs = 0
  let area = 0
  for (const load of loads) {
    if (load.left === 0) continue
    const { group } = load
    const rounds = roundsOf(group.runtimeSeconds, bin.seconds)
    const taken = Math.min(load.left, slotsFor(group, rest, nodesLeft, bin.nodes) * rounds)
    if (taken <= 0) continue
    const slots = Math.ceil(taken / rounds)
    load.left -= taken
    jobs += taken
    area += taken * group.runtimeSeconds * shareOf(group, bin)
    if (bin.nodes > 1) {
      nodesLeft -= slots * group.nodes
      continue
    }
    rest.cpus -= slots * group.cpus
    rest.memoryBytes -= slots * group.memoryBytes
    rest.gpus -= slots * group.gpus
  }
  return { jobs, area }
}

/** How many jobs run one after the other. A job without a run time takes a second. */
const roundsOf = (runtimeSeconds: number, seconds: number): number => Math.floor(seconds / Math.max(runtimeSeconds, 1))

/** Jobs of several nodes have theirs alone; jobs of one share it, and have no use for an allocation of several. */
function slotsFor(group: ReadyGroup, rest: Amounts, nodesLeft: number, nodes: number): number {
  if (nodes === 1) return group.nodes === 1 ? slotsIn(rest, group) : 0
  return group.nodes > 1 && slotsIn(rest, group) > 0 ? Math.floor(nodesLeft / group.nodes) : 0
}

function slotsIn(free: Amounts, need: Amounts): number {
  return Math.min(
    slotsOf(free.cpus, need.cpus),
    slotsOf(free.memoryBytes, need.memoryBytes),
    slotsOf(free.gpus, need.gpus),
  )
}

const slotsOf = (free: number, need: number): number => (need <= 0 ? Number.MAX_SAFE_INTEGER : Math.floor(free / need))

/** The part of a whole node that one job takes, by the resource it takes most of. */
function shareOf(group: ReadyGroup, { free, nodes }: Bin): number {
  if (nodes > 1) return group.nodes / nodes
  return Math.max(
    group.cpus / Math.max(free.cpus, 1),
    group.memoryBytes / Math.max(free.memoryBytes, 1),
    group.gpus / Math.max(free.gpus, 1),
  )
}

/** What jobs can use of a bin's time; a job that is longer than the user's patience still has to run. */
export function timeOf(seconds: number, loads: readonly Load[], within: number): number {
  const longest = loads.reduce((most, { group, left }) => (left > 0 ? Math.max(most, group.runtimeSeconds) : most), 0)
  return Math.min(seconds, Math.max(within, longest))
}
