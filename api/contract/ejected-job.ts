import * as v from 'valibot'
import { integer, optional, text } from './fields.ts'

/** What an owner changes for the next attempt, and what a recovery script did before it. */
export const putBackSchema = v.object({
  command: optional(text),
  env: optional(v.record(text, text)),
  resource_requirements_id: optional(integer),
  /** The longest an attempt may take, in place of the job's own `time_limit`. */
  time_limit_seconds: optional(v.pipe(integer, v.minValue(1, 'must be >= 1'))),
})

export const recoverySchema = v.object({
  run_id: integer,
  attempt_id: integer,
  return_code: integer,
  message: optional(text),
})
