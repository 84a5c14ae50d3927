import * as v from 'valibot'
import type { ClaimRequest } from '../core/claim.ts'
import { parseWireDuration } from '../core/duration.ts'
import type { Offer } from '../core/packing.ts'
import { bool, float, integer, labels, optional, text } from './fields.ts'
import { leaseSeconds } from './heartbeat.ts'

const GIB = 2 ** 30

const total = v.object({
  num_cpus: integer,
  memory_gb: float,
  num_gpus: optional(integer),
  /** How many such nodes a job may have once all of this one is free. */
  num_nodes: optional(integer),
})
const hold = v.object({
  jobs: v.pipe(integer, v.minValue(0)),
  num_cpus: integer,
  memory_gb: float,
  num_gpus: optional(integer),
})

/** What a claim may carry beside the offer: additions of ours (contract/notes.md 18, docs/api.md). */
const extras = {
  claim_id: optional(v.pipe(text, v.minLength(8), v.maxLength(200))),
  lease_seconds: optional(leaseSeconds),
  compute_node_id: optional(integer),
  start: optional(bool),
  total: optional(total),
  hold: optional(hold),
  labels: optional(labels),
}

/** The body of a resource-aware claim: ComputeNodesResources. Values are per node. */
export const resourcesSchema = v.object({
  num_cpus: integer,
  memory_gb: float,
  num_gpus: integer,
  num_nodes: integer,
  time_limit: optional(text),
  scheduler_config_id: optional(integer),
  ...extras,
})

/** The body of a queue-depth claim: nothing of it is required. */
export const slotsSchema = v.object(extras)

/** The claim part of a completion batch: with `num_cpus` a resource-aware claim, without one a queue-depth claim. */
export const claimPartSchema = v.object({
  limit: integer,
  strict_scheduler_match: optional(bool),
  num_cpus: optional(integer),
  memory_gb: optional(float),
  num_gpus: optional(integer),
  num_nodes: optional(integer),
  time_limit: optional(text),
  scheduler_config_id: optional(integer),
  ...extras,
})

type Extras = v.InferOutput<typeof slotsSchema>
export type ClaimPart = v.InferOutput<typeof claimPartSchema>

/** What is wrong with a claim beyond its shape: the field, and why a claim cannot be made of it. */
export type ClaimProblem = { field: string; value?: string; why: string }
export type ParsedClaim = { ok: true; request: ClaimRequest } | { ok: false; problem: ClaimProblem }

/** Turns a claim of the wire into the server's words. Refuses a time limit that is no duration, and a binding without a node. */
export function toClaimRequest(
  body: Omit<ClaimPart, 'limit'>,
  limit: number,
  runnerLabels: readonly string[] = body.labels ?? [],
): ParsedClaim {
  const problem = problemOf(body)
  if (problem !== undefined) return { ok: false, problem }
  const seconds = typeof body.time_limit === 'string' ? parseWireDuration(body.time_limit) : undefined
  const timeLimitSeconds = seconds === undefined ? undefined : Math.trunc(seconds)
  const nodes = body.num_nodes ?? 1
  const offer: Offer | undefined =
    typeof body.num_cpus === 'number'
      ? { ...offerOf({ ...body, num_cpus: body.num_cpus }), nodes, timeLimitSeconds }
      : undefined
  return {
    ok: true,
    request: {
      limit,
      offer,
      schedulerConfigId: body.scheduler_config_id ?? undefined,
      strictSchedulerMatch: body.strict_scheduler_match ?? false,
      labels: runnerLabels,
      ...extrasOf(body, nodes, timeLimitSeconds),
    },
  }
}

function problemOf(body: Omit<ClaimPart, 'limit'>): ClaimProblem | undefined {
  const { time_limit: limit, compute_node_id: node, lease_seconds: lease, start } = body
  if (typeof limit === 'string' && parseWireDuration(limit) === undefined)
    return { field: 'time_limit', value: limit, why: 'time_limit is no ISO 8601 duration such as PT1H30M' }
  if (typeof node === 'number') return undefined
  // A lease is renewed by its node, and a running job is bound to one.
  if (typeof lease === 'number') return { field: 'compute_node_id', why: 'lease_seconds needs compute_node_id' }
  if (start === true) return { field: 'compute_node_id', why: 'start needs compute_node_id' }
  return undefined
}

function extrasOf(body: Extras, nodes: number, timeLimitSeconds: number | undefined): Partial<ClaimRequest> {
  return {
    claimId: body.claim_id ?? undefined,
    leaseSeconds: body.lease_seconds ?? undefined,
    computeNodeId: body.compute_node_id ?? undefined,
    start: body.start ?? false,
    total: body.total ? { ...offerOf(body.total), nodes: body.total.num_nodes ?? nodes, timeLimitSeconds } : undefined,
    hold: body.hold ? { jobs: body.hold.jobs, offer: { ...offerOf(body.hold), timeLimitSeconds } } : undefined,
  }
}

function offerOf(body: { num_cpus: number; memory_gb?: number | null; num_gpus?: number | null }): Offer {
  return {
    cpus: body.num_cpus,
    memoryBytes: Math.trunc((body.memory_gb ?? 0) * GIB),
    gpus: body.num_gpus ?? 0,
    nodes: 1,
  }
}
