import * as v from 'valibot'
import { HAND_BACK_REASONS } from '../core/hand-back.ts'
import { bool, integer, optional, text } from './fields.ts'

/**
 * What a runner gives back; `rest` gives back all else that it has not started. With a `reason` the job does not come to this node
 * again for a while.
 */
export const releaseSchema = v.object({
  claims: optional(
    v.array(
      v.object({
        job_id: integer,
        claim_token: text,
        lost: optional(v.picklist(['node_lost', 'allocation_end'])),
        reason: optional(v.picklist(HAND_BACK_REASONS)),
      }),
    ),
  ),
  rest: optional(bool),
})
