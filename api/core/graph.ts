/** The dependency graph of one workflow: cycles, and what initialise makes of every job (contract/notes.md 8.1). */
import { STATUS, type StatusNumber } from './status.ts'

/** Jobs by position; `from[k] -> to[k]` says that job `to[k]` waits for job `from[k]`. */
export type Graph = { size: number; from: ArrayLike<number>; to: ArrayLike<number> }

export type Order = { order: Int32Array; cycle: undefined } | { order: undefined; cycle: number[] }

type Adjacency = { start: Int32Array; targets: Int32Array; degree: Int32Array }

/** Sorts the jobs so that each comes after its dependencies, or returns one cycle, its jobs in waiting order. */
export function topologicalOrder(graph: Graph): Order {
  const { start, targets, degree } = adjacency(graph)
  const left = degree.slice()
  const order = new Int32Array(graph.size)
  let filled = 0
  for (let job = 0; job < graph.size; job++) if (left[job] === 0) order[filled++] = job
  for (let at = 0; at < filled; at++) {
    const job = order[at]!
    for (let k = start[job]!; k < start[job + 1]!; k++) {
      const next = targets[k]!
      left[next]!--
      if (left[next] === 0) order[filled++] = next
    }
  }
  return filled === graph.size ? { order, cycle: undefined } : { order: undefined, cycle: findCycle(graph, left) }
}

function adjacency({ size, from, to }: Graph): Adjacency {
  const start = new Int32Array(size + 1)
  const degree = new Int32Array(size)
  for (let k = 0; k < from.length; k++) {
    start[from[k]! + 1]!++
    degree[to[k]!]!++
  }
  for (let job = 0; job < size; job++) start[job + 1]! += start[job]!
  const targets = new Int32Array(from.length)
  const next = start.slice(0, size)
  for (let k = 0; k < from.length; k++) {
    const at = from[k]!
    targets[next[at]!++] = to[k]!
  }
  return { start, targets, degree }
}

/** Every job with `left > 0` has a dependency that is also left: walking back along those must come round. */
function findCycle({ size, from, to }: Graph, left: Int32Array): number[] {
  const dependency = new Int32Array(size).fill(-1)
  for (let k = 0; k < from.length; k++) if (left[from[k]!]! > 0 && left[to[k]!]! > 0) dependency[to[k]!] = from[k]!
  const seen = new Map<number, number>()
  const path: number[] = []
  let job = left.findIndex((value, at) => value > 0 && dependency[at] !== -1)
  while (!seen.has(job)) {
    seen.set(job, path.length)
    path.push(job)
    job = dependency[job]!
  }
  return path.slice(seen.get(job)).reverse()
}

export type Initialized = {
  status: Uint8Array
  /** Dependencies not yet complete; those of the complete ones that did not succeed. Both 0 unless blocked or ready. */
  unfinished: Int32Array
  unsuccessful: Int32Array
}

const DONE = new Uint8Array(11)
for (const status of [STATUS.completed, STATUS.failed, STATUS.canceled, STATUS.terminated, STATUS.disabled])
  DONE[status] = 1
const UNSUCCESSFUL = new Uint8Array(11)
for (const status of [STATUS.failed, STATUS.canceled, STATUS.terminated]) UNSUCCESSFUL[status] = 1

/** With `onlyUninitialized`, marks every direct and indirect dependant of an uninitialized job in `status`, in place. */
export function markDownstream(graph: Graph, order: Int32Array, status: Uint8Array): void {
  const { start, targets } = adjacency(graph)
  for (const job of order) {
    if (status[job] !== STATUS.uninitialized) continue
    for (let k = start[job]!; k < start[job + 1]!; k++) {
      const next = targets[k]!
      if (status[next] !== STATUS.disabled) status[next] = STATUS.uninitialized
    }
  }
}

/**
 * What initialise makes of the jobs: those with an unfinished dependency become blocked, the rest ready; complete ones stay
 * unless they wait for something again, disabled ones always stay. `keep` marks jobs whose live claim is left alone.
 */
export function initializedStatuses(
  graph: Graph,
  order: Int32Array,
  before: Uint8Array,
  options: { onlyUninitialized: boolean; keep: Uint8Array },
): Initialized {
  const { start, targets } = adjacency(graph)
  const status = before.slice()
  const unfinished = new Int32Array(graph.size)
  const unsuccessful = new Int32Array(graph.size)
  for (const job of order) {
    status[job] = next(job)
    const done = DONE[status[job]!] === 1
    const bad = UNSUCCESSFUL[status[job]!]!
    for (let k = start[job]!; k < start[job + 1]!; k++) {
      if (done) unsuccessful[targets[k]!]! += bad
      else unfinished[targets[k]!]!++
    }
  }
  for (let job = 0; job < graph.size; job++) {
    if (status[job] !== STATUS.blocked && status[job] !== STATUS.ready) unfinished[job] = unsuccessful[job] = 0
  }
  return { status, unfinished, unsuccessful }

  function next(job: number): StatusNumber {
    const old = before[job]! as StatusNumber
    if (old === STATUS.disabled || options.keep[job] === 1) return old
    const waits = unfinished[job]! > 0
    if (DONE[old] === 1) {
      // A terminated job is run again by any initialise; the other complete ones only when they wait for something again.
      if (old === STATUS.terminated) return waits ? STATUS.blocked : STATUS.ready
      return waits && !options.onlyUninitialized ? STATUS.blocked : old
    }
    return waits ? STATUS.blocked : STATUS.ready
  }
}
