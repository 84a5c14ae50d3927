import { hostname } from 'node:os'
import { createHttpTransport } from '../client/http-transport.ts'
import { must } from '../client/must.ts'
import type { ServerAddress } from '../client/server-address.ts'
import { createClient } from '../client.ts'
import type { JobHooks } from '../job-hooks.ts'
import type { RunOutcome } from '../run-options.ts'
import { runWorkflow } from '../run-workflow.ts'
import type { Progress } from '../screen/types.ts'
import { placesIn } from './directory.ts'
import { elementApi } from './element-api.ts'
import { elementOptions } from './element-options.ts'
import { unknownKinds } from './frozen.ts'
import { formatResult } from './result-file.ts'
import type { PipeRun } from './wire.ts'
import { writeWhole } from './write-whole.ts'

/** What an element knows of itself: from its script. */
export type ElementPlace = { runId: number; worker: number; submission: string | undefined; address: ServerAddress }

/**
 * Runs jobs of a pipe run as one element of its array, by what was frozen when the run was staged: no setting of this node has a say.
 * `over`: the run has ended, nothing was done.
 */
export async function runElement(place: ElementPlace, progress: Progress): Promise<RunOutcome | 'over'> {
  const { address, runId } = place
  const client = createClient(createHttpTransport(address, process.env), address)
  try {
    const run = await must(client.request<PipeRun>('GET', `/pipe_runs/${runId}`))
    if (run.is_over) return 'over'
    const options = elementOptions(run, address)
    return await runWorkflow({ ...options, hooks: hooksOf(run, options.leaseSeconds, place, progress) }, progress)
  } finally {
    await client.close()
  }
}

/** Each attempt has a directory in the run's, with its result: written whole before anybody is told. */
function hooksOf(
  run: PipeRun,
  leaseSeconds: number,
  { worker, submission }: ElementPlace,
  progress: Progress,
): JobHooks {
  const places = placesIn(run.directory)
  const kinds = unknownKinds(run.directory)
  return {
    environment: () => ({ HEADRACE_PIPE_RUN: String(run.id), HEADRACE_PIPE_WORKER: String(worker) }),
    ended(attempt, completion) {
      const path = places.result(attempt.jobId, attempt.attemptId)
      const result = { version: 1 as const, pipe_run_id: run.id, worker, host: hostname(), completion }
      try {
        writeWhole(path, formatResult(result), { sync: run.spec.durability === 'power' })
      } catch (error) {
        // The outbox has the completion too: what is missing is the copy.
        progress.note(`The result of job ${attempt.jobId} cannot be written: ${(error as Error).message}`)
      }
    },
    direct() {},
    watch: (api, { client, nodeId }) =>
      elementApi(api, {
        client,
        runId: run.id,
        nodeId,
        worker,
        submission,
        unknownKinds: kinds,
        leaseSeconds,
        clock: Date.now,
      }),
  }
}
