import * as v from 'valibot'
import { HAND_BACK_REASONS } from '../core/hand-back.ts'
import { batch, bool, integer, optional, text } from './fields.ts'

const LOSSES = ['node_lost', 'allocation_end'] as const

/**
 * What a runner gives back; `rest` gives back all else that it has not started. `rest_lost` says of a runner that is gone why: what it had
 * started spends the loss budget. With a `reason` the job does not come to this node again for a while.
 */
export const releaseSchema = v.object({
  claims: optional(
    batch(
      v.object({
        job_id: integer,
        claim_token: text,
        lost: optional(v.picklist(LOSSES)),
        reason: optional(v.picklist(HAND_BACK_REASONS)),
      }),
    ),
  ),
  rest: optional(bool),
  /** Not part of the rest. */
  kept: optional(v.array(integer)),
  rest_lost: optional(v.picklist(LOSSES)),
})
