import { join } from 'node:path'
import { scriptText } from '../schedulers/describe.ts'
import { findScheduler } from '../schedulers/find.ts'
import { createAllocationName } from '../schedulers/name.ts'
import type { ProbeOutcome, Scheduler } from '../schedulers/types.ts'
import type { PipeOptions } from './options.ts'
import { type RequestedRun, requestFor } from './request.ts'
import { planRun, type StagingPlace, specFor } from './stage.ts'

/** What would be submitted: how much for which jobs, the scheduler's own word about it, and the script; and whether it would be refused. */
export async function dryRun(
  place: StagingPlace,
  options: PipeOptions,
  scheduler: Scheduler = findScheduler(options.scheduler),
): Promise<{ text: string; isRefused: boolean }> {
  const plan = await planRun(place, options)
  const spec = await specFor(place, options)
  const run: RequestedRun = {
    id: 0,
    directory: join(place.outputDir, 'pipe', 'run_dry'),
    spec: { ...spec, slots: options.slots, element: plan.element },
    throttle: options.throttle,
    walltime_seconds: options.walltimeSeconds,
  }
  const request = requestFor(run, { name: createAllocationName(), width: plan.width }, undefined)
  const what = `Would submit ${plan.width} elements for ${plan.ready} ready jobs of family ${plan.key.family} (${plan.open} not ended)`
  const probe = await scheduler.probe(request)
  const text = `${what}\n${wordOf(scheduler.name, probe)}\n${scriptText(scheduler.renderScript(request))}`
  return { text, isRefused: probe.kind === 'refused' }
}

function wordOf(scheduler: string, probe: ProbeOutcome): string {
  switch (probe.kind) {
    case 'accepted':
      return `${scheduler} would take it: ${probe.message}`
    case 'refused':
      return `${scheduler} would refuse it: ${probe.message}`
    case 'unsupported':
      return `${scheduler} cannot say beforehand: ${probe.message}`
    case 'unknown':
      return `${scheduler} cannot be asked: ${probe.message}`
  }
}
