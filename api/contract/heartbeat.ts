import * as v from 'valibot'
import { batch, bool, integer, optional, text } from './fields.ts'

/** What a runner believes to hold (contract/notes.md 18). */
export const heartbeatSchema = v.object({
  claims: optional(batch(v.object({ job_id: integer, claim_token: text, running: optional(bool) }))),
})
