import { must } from '../client/must.ts'
import type { Client } from '../client.ts'
import type { Scheduler } from '../schedulers/types.ts'
import { troubleWith } from './cancel.ts'
import type { PipeRun } from './wire.ts'

export type Throttled = {
  run: PipeRun
  /** Arrays at the scheduler that keep to the new number now. */
  changed: number
  troubles: string[]
}

/**
 * Changes how many elements of a run may be at work at once: of arrays to come, and of those the scheduler has. The number is stored first,
 * so that an array that is submitted meanwhile has it. Where the scheduler keeps no throttle itself, nothing is to be told: fewer
 * are submitted from now on, and elements that are there stay.
 */
export async function throttleRun(client: Client, scheduler: Scheduler, id: number, most: number): Promise<Throttled> {
  const run = await must(client.request<PipeRun>('PUT', `/pipe_runs/${id}`, { throttle: most }))
  const throttled: Throttled = { run, changed: 0, troubles: [] }
  for (const { scheduler_id: allocation, state, width } of run.submissions) {
    // A single element is no array.
    if (state !== 'submitted' || allocation === undefined || width === 1) continue
    const outcome = await scheduler.setThrottle(allocation, most)
    if (outcome.kind === 'done') throttled.changed++
    else if (outcome.kind !== 'unsupported') throttled.troubles.push(troubleWith(scheduler, allocation, outcome))
  }
  return throttled
}
