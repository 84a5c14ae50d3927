import * as v from 'valibot'
import { integer, optional, text } from './fields.ts'

const described = { name: optional(text), memory: optional(text), num_cpus: optional(integer) }

export const NewLocalScheduler = v.object({ workflow_id: integer, ...described })
export const LocalSchedulerChange = v.object(described)
