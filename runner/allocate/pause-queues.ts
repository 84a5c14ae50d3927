import { labelsMatch } from '../../api/core/packing.ts'
import type { PlanConfig } from './config.ts'
import { type PassContext, queueWords } from './context.ts'
import type { Judged } from './judge.ts'
import { newPauses } from './pauses.ts'
import type { WireDemand, WirePause, WireRecent } from './wire.ts'

/** Stores why queues are left alone from now on, and cancels what can never start there. */
export async function pauseQueues(
  rows: readonly WireRecent[],
  judged: readonly Judged[],
  { groups, now }: WireDemand,
  context: PassContext,
): Promise<Record<string, WirePause>> {
  const { plan, config, note } = context
  const found = newPauses(plan, {
    rows,
    judged,
    groups: groups.filter(group => isOurs(group, config)),
    idleExitSeconds: config.idle_exit_seconds,
    pendLimitSeconds: config.pend_limit_seconds,
    nowMs: now,
  })
  const pauses = { ...plan.pauses, ...found }
  if (Object.keys(found).length === 0) return pauses
  for (const [queue, { reason, message }] of Object.entries(found)) {
    note(`Nothing more is asked of ${queueWords(queue)}: ${reason}${message === undefined ? '' : `: ${message}`}`)
    for (const { row, stuck } of judged)
      if (row.queue === queue && stuck !== undefined && row.scheduler_id !== undefined)
        await context.scheduler.cancel(row.scheduler_id, { kind: 'queued' })
  }
  const isAll = config.queues.every(({ name }) => pauses[name] !== undefined)
  const body = { pauses, state: isAll && plan.state === 'active' ? 'paused' : undefined }
  await context.client.request('PUT', `/workflows/${plan.workflow_id}/allocation_plans/${plan.id}`, body)
  return pauses
}

/** A runner of the plan would be given these jobs. */
const isOurs = (group: WireDemand['groups'][number], { labels, scheduler_config_id }: PlanConfig): boolean =>
  labelsMatch(labels, group.labels) && (group.scheduler_id === null || group.scheduler_id === scheduler_config_id)
