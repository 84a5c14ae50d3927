import { labelsMatch } from '../../api/core/packing.ts'
import { askFor } from './ask.ts'
import { fill, type Load, timeOf } from './bins.ts'
import { type Choice, choose } from './choices.ts'
import { packNew } from './pack.ts'
import type { Decision, LiveRunner, OpenRequest, Policy, Snapshot, Surplus } from './types.ts'
import { usableSeconds } from './walltimes.ts'

/**
 * Decides what to ask a batch scheduler for, and what to take back: ready work, packed into nodes and wall times, without what the
 * runners at work can take and what is queued or starting, within every cap. Pure; only ready work leads to a request.
 */
export function plan(snapshot: Snapshot, policy: Policy): Decision {
  const { choices, unserved } = choose(snapshot.groups, snapshot.queues, policy)
  const loads: Load[] = choices.map(({ group }) => ({ group, left: group.count })).sort(byClaimOrder)
  const horizon = horizonOf(choices, policy)
  for (const runner of snapshot.runners) useRunner(runner, loads, horizon)
  const surplus = useRequests(snapshot, loads, policy)
  const inUse = nodesInUse(snapshot)
  const wanted = packNew(choices, loads, policy, inUse)
  const asked = askFor(wanted, inUse, snapshot, policy)
  const held = loads.some(({ left }) => left > 0)
    ? [
        ...asked.held,
        `${inUse} of at most ${policy.nodesMost} nodes are in use or asked for, and ready jobs could use more`,
      ]
    : asked.held
  return { submit: asked.submit, held, surplus, unserved }
}

/** In the order in which claims are answered, as far as groups tell: GPUs, run time, memory. */
function byClaimOrder({ group: a }: Load, { group: b }: Load): number {
  return b.gpus - a.gpus || b.runtimeSeconds - a.runtimeSeconds || b.memoryBytes - a.memoryBytes || b.cpus - a.cpus
}

/** Work is not left to a runner for longer than it would take on nodes of its own. */
const horizonOf = (choices: readonly Choice[], { finishWithinSeconds }: Policy): number =>
  Math.min(
    finishWithinSeconds ?? Number.POSITIVE_INFINITY,
    Math.max(0, ...choices.map(({ walltimeSeconds }) => usableSeconds(walltimeSeconds))),
  )

/** A runner takes what fits its free part now, and later what fits the part that its jobs leave. */
function useRunner(runner: LiveRunner, all: readonly Load[], horizon: number): void {
  const { used, nodes, busySeconds } = runner
  const loads = all.filter(({ group }) => labelsMatch(runner.labels, group.labels))
  const seconds = timeOf(runner.secondsLeft ?? Number.POSITIVE_INFINITY, loads, horizon)
  const later = Math.max(0, seconds - busySeconds)
  if (nodes > 1) {
    fill({ free: runner, nodes, seconds: later }, loads)
    return
  }
  const free = {
    cpus: runner.cpus - used.cpus,
    memoryBytes: runner.memoryBytes - used.memoryBytes,
    gpus: runner.gpus - used.gpus,
  }
  fill({ free, nodes, seconds }, loads)
  fill({ free: used, nodes, seconds: later }, loads)
}

/** Gives open requests, the oldest first, what they can do; tells which of their queued elements nobody needs. */
function useRequests({ requests, nowMs }: Snapshot, loads: readonly Load[], policy: Policy): Surplus[] {
  const found: Surplus[] = []
  for (const request of requests) {
    const needed = elementsNeeded(request, loads, policy)
    const wanted = needed === 0 ? 0 : Math.max(needed, Math.ceil(policy.requestLeast / request.nodes))
    const elements = Math.min(request.queued, Math.max(0, request.queued + request.starting - wanted))
    if (elements === 0 && request.unneededSinceMs === undefined) continue
    const since = request.unneededSinceMs ?? nowMs
    const cancel = elements > 0 && nowMs - since >= policy.cancelAfterSeconds * 1000
    found.unshift({ name: request.name, elements, cancel })
  }
  return found
}

function elementsNeeded(request: OpenRequest, loads: readonly Load[], policy: Policy): number {
  const usable = usableSeconds(request.walltimeSeconds)
  const within = policy.finishWithinSeconds ?? usable
  let needed = 0
  for (; needed < request.queued + request.starting; needed++) {
    const bin = { free: request.offer, nodes: request.nodes, seconds: timeOf(usable, loads, within) }
    if (fill(bin, loads).jobs === 0) break
  }
  return needed
}

const nodesInUse = ({ runners, requests }: Snapshot): number =>
  runners.reduce((sum, runner) => sum + (runner.isOurs ? runner.nodes : 0), 0) +
  requests.reduce((sum, request) => sum + (request.queued + request.starting) * request.nodes, 0)
