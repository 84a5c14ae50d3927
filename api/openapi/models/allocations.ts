import * as v from 'valibot'
import { float, integer, text } from '../../contract/fields.ts'
import { ALLOCATION_STATES, PLAN_STATES } from '../../core/allocation-states.ts'

const own = { id: integer, workflow_id: integer }
const object = v.record(v.string(), v.unknown())

export const AllocationPlanModel = v.object({
  ...own,
  name: text,
  config: object,
  state: v.picklist(PLAN_STATES),
  since: integer,
  pauses: object,
  created_at: integer,
})

const allocation = {
  ...own,
  plan: text,
  name: text,
  scheduler_type: text,
  cluster: text,
  queue: text,
  width: integer,
  nodes: integer,
  cores: integer,
  memory_bytes: integer,
  gpus: integer,
  walltime_seconds: integer,
  directory: text,
  state: v.picklist(ALLOCATION_STATES),
  scheduler_id: v.optional(text),
  scheduled_compute_node_id: v.optional(integer),
  message: v.optional(text),
  reason: v.optional(text),
  created_at: integer,
  submitted_at: v.optional(integer),
  started_at: v.optional(integer),
  ended_at: v.optional(integer),
  unneeded_since: v.optional(integer),
}
export const AllocationModel = v.object(allocation)

const amounts = { cpus: integer, memory_bytes: integer, gpus: integer, nodes: integer, labels: text }

export const AllocationDemand = v.object({
  now: integer,
  groups: v.array(
    v.object({
      ...amounts,
      runtime_seconds: float,
      scheduler_id: v.nullable(integer),
      count: integer,
      ready_since: integer,
    }),
  ),
  runners: v.array(
    v.object({
      ...amounts,
      id: integer,
      allocation: v.nullable(text),
      worker: v.nullable(integer),
      scheduler_config_id: v.nullable(integer),
      used_cpus: integer,
      used_memory_bytes: integer,
      used_gpus: integer,
      busy_seconds: float,
      seconds_left: v.nullable(float),
    }),
  ),
  queues: v.array(
    v.object({ queue: text, backlog: integer, submitted_last_minute: integer, node_seconds_last_day: integer }),
  ),
  allocations: v.array(v.object({ ...allocation, registered_runners: integer, active_runners: integer })),
})

export const DutyModel = v.object({
  workflow_id: integer,
  name: text,
  holder: v.optional(text),
  expires_at: integer,
  state: v.optional(object),
})
