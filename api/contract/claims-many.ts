import * as v from 'valibot'
import { HAND_BACK_REASONS } from '../core/hand-back.ts'
import { claimPartSchema } from './claim.ts'
import { moment } from './completion.ts'
import { NewComputeNode } from './compute-node.ts'
import { bool, integer, optional, text } from './fields.ts'
import { leaseSeconds } from './heartbeat.ts'

const { compute_node_id: _, limit: __, ...claimPart } = claimPartSchema.entries
const { workflow_id: ___, ...nodeFacts } = NewComputeNode.entries

/** Which workflows are served: all that the caller may use, or those of them that are named, of one user, of one project. */
const served = {
  workflow_ids: optional(v.array(integer)),
  user: optional(text),
  project: optional(text),
}

/** A claim over many workflows (docs/api.md, POST /claims), with ends and starts of jobs of any of them. */
export const manyClaimsSchema = v.object({
  limit: optional(integer),
  ...claimPart,
  ...served,
  /** The runner's nodes so far, one per workflow, and what a new one is registered with. */
  compute_nodes: optional(v.array(integer)),
  node: optional(v.object(nodeFacts)),
  /** Workflows the runner has served, the one longest ago first. */
  served: optional(v.array(integer)),
  completions: optional(v.array(v.unknown())),
  started: optional(
    v.array(v.object({ workflow_id: integer, job_id: integer, claim_token: text, start_time: moment })),
  ),
  verdicts: optional(bool),
})

const heldClaim = { compute_node_id: integer, job_id: integer, claim_token: text }

/** What a runner believes to hold, of all its nodes. */
export const manyHeartbeatSchema = v.object({
  claims: v.array(v.object({ ...heldClaim, running: optional(bool) })),
  lease_seconds: optional(leaseSeconds),
})

/** What a runner gives back, of all its nodes. */
export const manyReleaseSchema = v.object({
  claims: v.array(
    v.object({
      ...heldClaim,
      lost: optional(v.picklist(['node_lost', 'allocation_end'])),
      reason: optional(v.picklist(HAND_BACK_REASONS)),
    }),
  ),
})

/** How the workflows stand together that are named here, and those that the nodes belong to. */
export const manySummarySchema = v.object({
  workflow_ids: optional(v.array(integer)),
  compute_nodes: optional(v.array(integer)),
})
