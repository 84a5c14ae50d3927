import { writeAccessFile } from '../allocate/access-file.ts'
import { must } from '../client/must.ts'
import type { ServerAddress } from '../client/server-address.ts'
import type { Client } from '../client.ts'
import { submitOnce } from '../schedulers/submit.ts'
import type { Scheduler, SubmitOutcome } from '../schedulers/types.ts'
import { placesIn } from './directory.ts'
import { requestFor } from './request.ts'
import type { PipeRun, PipeSubmission } from './wire.ts'

export type SubmitContext = {
  client: Client
  scheduler: Scheduler
  proof: Pick<ServerAddress, 'token' | 'user'>
  note(line: string): void
}

/**
 * Hands a decided submission to the scheduler and records what came of it. `isNew`: decided in this very moment; one that is older was
 * perhaps submitted by somebody who was ended before it could be recorded, so its name is looked up first.
 */
export async function submitDecided(
  context: SubmitContext,
  run: PipeRun,
  submission: PipeSubmission,
  isNew: boolean,
): Promise<SubmitOutcome> {
  const { client, scheduler, note } = context
  const outcome = await trySubmit(context, run, submission, isNew)
  const path = `/pipe_runs/${run.id}/submissions/${submission.id}`
  switch (outcome.kind) {
    case 'submitted':
      await must(client.request('PUT', path, { state: 'submitted', scheduler_id: outcome.id }))
      note(`Pipe run ${run.id}: ${submission.width} elements submitted to ${scheduler.name} as ${outcome.id}`)
      break
    case 'refused':
      await must(client.request('PUT', path, { state: 'refused', message: outcome.message }))
      note(`Pipe run ${run.id}: ${scheduler.name} refused: ${outcome.message}`)
      break
    case 'unknown':
      await must(client.request('PUT', path, { message: outcome.message }))
      note(`Pipe run ${run.id}: it is not known whether ${submission.name} was submitted: ${outcome.message}`)
  }
  return outcome
}

/** A script that cannot be written, or a request that this scheduler has no words for, was not submitted for sure. */
async function trySubmit(
  { scheduler, proof }: SubmitContext,
  run: PipeRun,
  submission: PipeSubmission,
  isNew: boolean,
): Promise<SubmitOutcome> {
  try {
    const accessFile = writeAccessFile(placesIn(run.directory).submission(submission.name), proof)
    const attemptedAtMs = isNew ? undefined : Date.now() - submission.decided_age_ms
    return await submitOnce(scheduler, requestFor(run, submission, accessFile), { attemptedAtMs, clock: Date.now })
  } catch (error) {
    return { kind: 'refused', message: (error as Error).message }
  }
}
