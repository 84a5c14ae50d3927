import { must } from '../client/must.ts'
import type { Client } from '../client.ts'
import type { ControlOutcome, Scheduler } from '../schedulers/types.ts'
import type { PipeRun } from './wire.ts'

export type Canceled = {
  id: number
  state: PipeRun['state']
  was_open: boolean
  canceled_jobs: number
  troubles: string[]
}

/**
 * Cancels a run: its jobs that have not ended, in the control plane, so that no element gets another; then its queued elements, so that
 * none of them starts in the place of one that ends; then those that run. Doing it again does nothing, and no budget is touched.
 */
export async function cancelRun(client: Client, scheduler: Scheduler, runId: number): Promise<Canceled> {
  const done = await must(client.request<Omit<Canceled, 'troubles'>>('POST', `/pipe_runs/${runId}/cancel`))
  const run = await must(client.request<PipeRun>('GET', `/pipe_runs/${runId}`))
  return { ...done, troubles: await cancelElements(scheduler, run) }
}

/** Takes the queued elements of a run away, then those that run; tells what the scheduler did not do. */
export async function cancelElements(scheduler: Scheduler, { submissions }: PipeRun): Promise<string[]> {
  const troubles: string[] = []
  for (const { scheduler_id: id, state } of submissions) {
    if (state !== 'submitted' || id === undefined) continue
    await scheduler.cancel(id, { kind: 'queued' })
    const outcome = await scheduler.cancel(id, { kind: 'all' })
    if (outcome.kind !== 'done') troubles.push(troubleWith(scheduler, id, outcome))
  }
  return troubles
}

/** In one line: what a scheduler did not do, and its own words. */
export const troubleWith = (
  { name }: Scheduler,
  allocation: string,
  { kind, message }: Exclude<ControlOutcome, { kind: 'done' }>,
): string => `${name} ${allocation}: ${kind}, ${message}`
