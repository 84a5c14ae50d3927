import { join } from 'node:path'
import { createAllocationName } from '../schedulers/name.ts'
import type { SchedulerRuntime } from '../schedulers/runtime.ts'
import { writeScripts } from '../schedulers/script-files.ts'
import type { Scheduler, SubmitOutcome } from '../schedulers/types.ts'

/** How often an allocation is looked for whose submission was not answered, and how long between two looks. */
export type Patience = { looks: number; pause(): Promise<void> }

export type OneSubmission = {
  /** In the queue. Allocations in a chain share theirs, so a script's own name is another. */
  name: string
  /** Absolute: where the script is written. */
  directory: string
  text: string
  /** Ids that are known already: what is listed beside them under this name is what was submitted now. */
  known: ReadonlySet<string>
}

/** Where Slurm is, and how to wait for it. */
export type Cluster = { scheduler: Scheduler; runtime: SchedulerRuntime; patience: Patience }

/**
 * Writes a script and submits it once. Without an answer the queue is looked through for its name, and what is found is taken for it: a
 * controller that was frozen takes the submission when it wakes up. Nothing is ever submitted again from here.
 */
export async function submitScript(submission: OneSubmission, cluster: Cluster): Promise<SubmitOutcome> {
  const { directory, text } = submission
  const script = writeScripts(directory, [{ name: `${createAllocationName()}.sh`, text }])
  const outcome = await cluster.scheduler.submitScript(script, directory)
  return outcome.kind === 'unknown' ? lookFor(submission, outcome, cluster) : outcome
}

async function lookFor(
  { name, known }: OneSubmission,
  unanswered: SubmitOutcome,
  { scheduler, runtime, patience }: Cluster,
): Promise<SubmitOutcome> {
  for (let look = 0; look < patience.looks; look++) {
    await patience.pause()
    const listing = await scheduler.list({ ids: [], names: [name] })
    if (listing.kind === 'unknown') continue
    const found = listing.elements.find(element => element.name === name && !known.has(element.allocation))
    if (found !== undefined) return { kind: 'submitted', id: found.allocation, acknowledgedAtMs: runtime.clock() }
  }
  return unanswered
}

/** Scripts of a run lie together. */
export const scriptDirectory = (outputDir: string): string => join(outputDir, 'slurm_scripts')
