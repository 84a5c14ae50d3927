import * as v from 'valibot'
import { integer, optional, text } from './fields.ts'

export const NewScheduledComputeNode = v.object({
  workflow_id: integer,
  scheduler_id: integer,
  scheduler_config_id: integer,
  scheduler_type: text,
  status: text,
})

export const ScheduledComputeNodeChange = v.object({
  scheduler_id: optional(integer),
  scheduler_config_id: optional(integer),
  scheduler_type: optional(text),
  status: optional(text),
})
