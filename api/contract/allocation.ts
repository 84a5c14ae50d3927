import * as v from 'valibot'
import { ALLOCATION_STATES, PLAN_STATES } from '../core/allocation-states.ts'
import { bool, integer, isJsonObject, isShallow, type JsonObject, optional, TOO_DEEP, text } from './fields.ts'

/** The filters of the list of allocations. */
export const ALLOCATION_FILTERS = { plan: 'text', state: 'text' } as const

/** `over`: how many ended requests to tell of beside those that are not over. */
export const DEMAND_QUERY = { plan: 'text!', cluster: 'text!', over: 'integer' } as const

/** What a plan may be called: it goes into file names and messages. */
export const PLAN_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/

/** A plan is a duty of its own, whose name is a little longer. */
const DUTY_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,79}$/

const planName = v.pipe(text, v.regex(PLAN_NAME, 'must be 1 to 64 letters, digits, dots, hyphens or underscores'))
const atLeast = (least: number) => v.pipe(integer, v.minValue(least, `must be >= ${least}`))
const object = v.pipe(
  v.custom<JsonObject>(isJsonObject, 'must be an object'),
  v.check(given => isShallow(given), TOO_DEEP),
)

/** `config` belongs to the planner; the control plane keeps it and does not look into it. */
export const NewAllocationPlan = v.object({ name: planName, config: object })

export const AllocationPlanChange = v.object({
  state: optional(v.picklist(PLAN_STATES, `must be ${PLAN_STATES.join(', ')}`)),
  /** By queue, why nothing is asked of it. */
  pauses: optional(object),
})

export const NewAllocation = v.object({
  plan: planName,
  name: v.pipe(text, v.regex(/^hr-[0-9a-f]{8}$/, 'must be hr- and 8 hexadecimal digits')),
  scheduler_type: text,
  cluster: text,
  queue: text,
  width: atLeast(1),
  nodes: atLeast(1),
  cores: atLeast(1),
  memory_bytes: atLeast(0),
  gpus: atLeast(0),
  walltime_seconds: atLeast(1),
  directory: text,
  reason: optional(text),
  /** Refused when the queue of the cluster has as many requests that have not started. */
  backlog: optional(atLeast(1)),
})

export const AllocationChange = v.object({
  state: optional(v.picklist(ALLOCATION_STATES, `must be ${ALLOCATION_STATES.join(', ')}`)),
  scheduler_id: optional(text),
  scheduler_config_id: optional(integer),
  message: optional(text),
  /** When the scheduler's answer was read, by the asker's clock. */
  submitted_at: optional(integer),
  unneeded: optional(bool),
})

/** Takes a duty or renews it; 0 seconds give it back. `state` is what the next holder has to know. */
export const DutyClaim = v.object({
  name: v.pipe(text, v.regex(DUTY_NAME, 'must be 1 to 80 letters, digits, dots, hyphens or underscores')),
  holder: v.pipe(text, v.minLength(1, 'must not be empty'), v.maxLength(200, 'must be 200 characters or fewer')),
  lease_seconds: v.pipe(integer, v.minValue(0, 'must be from 0 to 3600'), v.maxValue(3600, 'must be from 0 to 3600')),
  state: optional(object),
})
