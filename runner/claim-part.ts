import { randomUUID } from 'node:crypto'
import type { Free, Need } from './capacity/ledger.ts'
import type { ClaimPart } from './wire.ts'

/** What every claim of a runner says beside what is free. */
export type ClaimTerms = {
  /** Absent: the control plane finds the runner's nodes by itself. */
  computeNodeId?: number
  /** How long what is claimed is this runner's without a word from it. */
  leaseSeconds: number
  labels: readonly string[]
  schedulerConfigId?: number
  strictSchedulerMatch?: boolean
  bySlots: boolean
  /** Nodes of the allocation that a job may have; 1 unless given. */
  nodes?: number
}

/** What this claim asks for. */
export type ClaimWish = {
  limit: number
  free: Free
  total: Free
  hold: number
  /** What a held job may need at most. */
  holdNeed: Need
  /** Seconds until the runner ends its jobs; undefined = no end. */
  secondsLeft: number | undefined
}

const GIB = 2 ** 30
/** Torc's runners offer this much more than what is left: a job is ended in time, not kept from starting (contract/notes.md 10.2). */
const TIME_SLACK_SECONDS = 120

/** The claim as the wire has it. Every claim has an id of its own, so that a lost reply costs nothing. */
export function claimPart(
  terms: ClaimTerms,
  { limit, free, total, hold, holdNeed, secondsLeft }: ClaimWish,
): ClaimPart {
  const part: ClaimPart = {
    claim_id: randomUUID(),
    limit,
    lease_seconds: terms.leaseSeconds,
    labels: terms.labels,
    start: true,
  }
  if (terms.computeNodeId !== undefined) part.compute_node_id = terms.computeNodeId
  if (terms.schedulerConfigId !== undefined) part.scheduler_config_id = terms.schedulerConfigId
  if (terms.strictSchedulerMatch) part.strict_scheduler_match = true
  if (!terms.bySlots) {
    Object.assign(part, resources(free), { num_nodes: 1 })
    // A job of several nodes takes all of this one, too. What comes instead is one job, since the others would be counted for all nodes.
    const { nodes = 1 } = terms
    if (nodes > 1 && isWhole(free, total)) Object.assign(part, { num_nodes: nodes, limit: Math.min(limit, 1) })
    part.total = nodes > 1 ? { ...resources(total), num_nodes: nodes } : resources(total)
  }
  if (secondsLeft !== undefined) part.time_limit = `PT${Math.max(0, Math.round(secondsLeft)) + TIME_SLACK_SECONDS}S`
  if (hold > 0) part.hold = { jobs: hold, ...resources(holdNeed) }
  return part
}

const isWhole = (free: Free, total: Free): boolean =>
  free.cpus === total.cpus && free.memoryBytes === total.memoryBytes && free.gpus === total.gpus

const resources = ({ cpus, memoryBytes, gpus }: Need) => ({
  num_cpus: cpus,
  memory_gb: memoryBytes / GIB,
  num_gpus: gpus,
})
