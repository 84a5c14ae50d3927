import * as v from 'valibot'
import { LEASE_RANGE_SECONDS } from '../core/leases.ts'
import { batch, bool, integer, optional, text } from './fields.ts'

/** How long a claim holds without a word from its runner. */
export const leaseSeconds = v.pipe(integer, v.minValue(LEASE_RANGE_SECONDS.least), v.maxValue(LEASE_RANGE_SECONDS.most))

/** What a runner believes to hold (contract/notes.md 18). */
export const heartbeatSchema = v.object({
  claims: optional(batch(v.object({ job_id: integer, claim_token: text, running: optional(bool) }))),
  /** How long its leases are from now on; as they were claimed unless given. */
  lease_seconds: optional(leaseSeconds),
})
