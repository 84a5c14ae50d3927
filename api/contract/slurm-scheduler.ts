import * as v from 'valibot'
import { bool, integer, optional, text } from './fields.ts'

const described = {
  name: optional(text),
  gres: optional(text),
  mem: optional(text),
  ntasks_per_node: optional(integer),
  partition: optional(text),
  qos: optional(text),
  tmp: optional(text),
  extra: optional(text),
  serialize_allocations: optional(bool),
}

export const NewSlurmScheduler = v.object({
  workflow_id: integer,
  account: text,
  nodes: integer,
  walltime: text,
  ...described,
})
export const SlurmSchedulerChange = v.object({
  account: optional(text),
  nodes: optional(integer),
  walltime: optional(text),
  ...described,
})
export type SlurmSchedulerChange = v.InferOutput<typeof SlurmSchedulerChange>
