import { type AllocationState, FINAL_ALLOCATION_STATES } from '../../api/core/allocation-states.ts'
import { removeAccessFile } from './access-file.ts'
import type { PassContext } from './context.ts'
import type { Judged } from './judge.ts'
import { lastOutput } from './output.ts'
import type { WireRecent } from './wire.ts'

export const isFinal = (state: AllocationState): boolean =>
  (FINAL_ALLOCATION_STATES as readonly AllocationState[]).includes(state)

/** Tells the control plane what the listing has shown, and gives the row as it is then. */
export async function tell({ row, state }: Judged, context: PassContext): Promise<WireRecent> {
  if (state === row.state) return row
  const message = wordsFor(row, state)
  await change(
    row.id,
    {
      state,
      scheduler_id: row.scheduler_id,
      scheduler_config_id: context.config.scheduler_config_id,
      submitted_at: row.state === 'submitting' && !isFinal(state) ? context.clock() : undefined,
      message,
    },
    context,
  )
  context.note(`Allocation ${row.scheduler_id ?? row.name}: ${state}${message === undefined ? '' : `: ${message}`}`)
  if (isFinal(state)) removeAccessFile(row.directory)
  return { ...row, state, message: message ?? row.message }
}

/** What went wrong, if it did. */
function wordsFor(row: WireRecent, state: AllocationState): string | undefined {
  if (state === 'refused') return 'It is not in the queue: the submission was lost'
  if (state !== 'ended' || row.registered_runners > 0) return undefined
  return lastOutput(row.directory) ?? 'It ended without a runner that registered, and printed nothing'
}

/** Notes what became of a request. What cannot be noted the next pass finds again. */
export async function change(id: number, body: object, { client, plan, note }: PassContext): Promise<void> {
  const reply = await client.request('PUT', `/workflows/${plan.workflow_id}/allocations/${id}`, body)
  if (!reply.ok) note(`The control plane was not told of an allocation: ${reply.message}`)
}
