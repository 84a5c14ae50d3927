import { CommandError } from '../command-line/error.ts'
import type { PipeOptions } from './options.ts'
import { planRun, type StagingPlace, stageRun } from './stage.ts'
import type { PipeRun } from './wire.ts'

/** Stages the kind of which most jobs are ready and have no run yet; undefined when none is enough for an array. */
export async function stageNext(place: StagingPlace, options: PipeOptions): Promise<PipeRun | undefined> {
  try {
    await planRun(place, options)
  } catch (error) {
    // The control plane says why nothing can be staged now; it may be otherwise when more has ended.
    if (error instanceof CommandError && error.exitCode === 2) return undefined
    throw error
  }
  return stageRun(place, options)
}
