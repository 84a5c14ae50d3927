import { refuseInitializing } from '../../db/initializing.ts'
import type { JobLinks } from '../../db/job-links.ts'
import type { JobRow } from '../../db/jobs.ts'
import { closeStage, moveStagedJobs, openStage } from '../../db/staged-jobs.ts'
import type { Unit } from '../../db/unit.ts'
import type { WorkflowRow } from '../../db/workflows.ts'
import type { AppRequest, Services } from '../context.ts'
import type { Job } from '../contract/job.ts'
import { createOnce } from '../idempotency.ts'
import { oneWorkflowOf } from './bulk.ts'
import { createJobs, refuseStrangeIds } from './create-jobs.ts'
import { needWorkflow } from './guards.ts'

type NewJob = JobRow & JobLinks

/** Jobs created in one transaction, so that it ends within about 100 ms. */
const PIECE = 2_000

/** Creates all jobs of a batch or none, however many, and answers with what `replyOf` makes of them: nobody ever sees half of them. */
export async function createJobBatch(
  c: AppRequest,
  services: Services,
  jobs: readonly Job[],
  replyOf: (rows: readonly NewJob[]) => object,
): Promise<Response> {
  if (jobs.length <= PIECE) {
    return createOnce(c, services, function* () {
      return replyOf(yield* createJobs(yield* openWorkflowOf(jobs), jobs))
    })
  }
  const { db, clock } = services
  const workflow = await db.read(() => openWorkflowOf(jobs))
  const stage = await db.write(() => openStage(clock()))
  try {
    const rows: NewJob[] = []
    for (let at = 0; at < jobs.length; at += PIECE) {
      const piece = await db.write(function* () {
        return yield* createJobs(yield* needWorkflow(workflow.id), jobs.slice(at, at + PIECE), stage)
      })
      for (const row of piece) rows.push(row)
    }
    return await createOnce(c, services, function* () {
      yield* openWorkflowOf(jobs)
      // What they name may have been deleted between two pieces.
      yield* refuseStrangeIds(workflow.id, [allNamed(jobs)])
      yield* moveStagedJobs(stage, workflow.id, jobs.length)
      return replyOf(rows)
    })
  } finally {
    await closeStage(db, stage)
  }
}

/** The one workflow that all of them name, as it takes new jobs. */
function* openWorkflowOf(jobs: readonly Job[]): Unit<WorkflowRow> {
  const workflow = yield* needWorkflow(yield* oneWorkflowOf(jobs, 'jobs'))
  yield* refuseInitializing(workflow.id)
  return workflow
}

/** One job that names all that these name, each once. */
function allNamed(jobs: readonly Job[]): Partial<Job> {
  const distinct = (field: keyof JobLinks): number[] => [...new Set(jobs.flatMap(job => job[field] ?? []))]
  return {
    depends_on_job_ids: distinct('depends_on_job_ids'),
    input_file_ids: distinct('input_file_ids'),
    output_file_ids: distinct('output_file_ids'),
    input_user_data_ids: distinct('input_user_data_ids'),
    output_user_data_ids: distinct('output_user_data_ids'),
  }
}
