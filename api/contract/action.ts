import * as v from 'valibot'
import { bool, ids, integer, isJsonObject, isShallow, type JsonObject, optional, TOO_DEEP, text } from './fields.ts'

export const TRIGGER_TYPES = [
  'on_workflow_start',
  'on_workflow_complete',
  'on_jobs_ready',
  'on_jobs_complete',
  'on_worker_start',
  'on_worker_complete',
] as const
export type TriggerType = (typeof TRIGGER_TYPES)[number]

/** Triggers that count the jobs an action names; the others fire once. */
export const countsJobs = (trigger: TriggerType): boolean =>
  trigger === 'on_jobs_ready' || trigger === 'on_jobs_complete'

export const NewAction = v.object({
  trigger_type: v.picklist(TRIGGER_TYPES, `must be one of ${TRIGGER_TYPES.join(', ')}`),
  action_type: text,
  action_config: v.pipe(
    v.custom<JsonObject>(isJsonObject, 'is refused: Invalid action_config, it must be an object'),
    v.check(given => isShallow(given), TOO_DEEP),
  ),
  job_ids: optional(ids),
  trigger_count: optional(integer),
  executed: optional(bool),
  executed_at: optional(text),
  persistent: optional(bool),
  is_recovery: optional(bool),
})
export type NewAction = v.InferOutput<typeof NewAction>

/** PUT takes keys that are merged into `action_config`. */
export const ActionConfigChange = v.pipe(
  v.custom<JsonObject>(isJsonObject, 'must be an object'),
  v.check(given => isShallow(given), TOO_DEEP),
  v.check(given => Object.keys(given).length > 0, 'must name at least one key of action_config'),
)

export const ActionClaim = v.object({ compute_node_id: optional(integer) })

const RunCommands = v.strictObject({ commands: v.pipe(v.array(v.pipe(text, v.nonEmpty())), v.nonEmpty()) })
const ScheduleNodes = v.strictObject({
  scheduler_id: v.optional(integer),
  scheduler_type: v.optional(text),
  num_allocations: v.optional(integer),
  start_one_worker_per_node: v.optional(bool),
  max_parallel_jobs: v.optional(integer),
})

/** Says what is wrong with an action's configuration, or undefined (contract/notes.md 12.1). Other action types are not checked. */
export function faultOfActionConfig(actionType: string, config: JsonObject): string | undefined {
  switch (actionType) {
    case 'run_commands':
      return v.is(RunCommands, config)
        ? undefined
        : 'Invalid action_config: run_commands takes commands only, a list of texts that are not empty'
    case 'schedule_nodes':
      return v.is(ScheduleNodes, config)
        ? undefined
        : 'Invalid action_config: schedule_nodes takes scheduler_id, scheduler_type, num_allocations, start_one_worker_per_node, max_parallel_jobs only'
    default:
      return undefined
  }
}
