import { Hono } from 'hono'
import { deleteJob, deleteSomeJobs, releaseDependantsOf } from '../../db/delete-jobs.ts'
import { refuseInitializing } from '../../db/initializing.ts'
import { type JobLinks, linksOf, listDescendants, NO_LINKS } from '../../db/job-links.ts'
import { updateJob } from '../../db/job-update.ts'
import { type JobRow, listJobs } from '../../db/jobs.ts'
import type { Unit } from '../../db/unit.ts'
import { readBody } from '../body.ts'
import type { AppEnv, Services } from '../context.ts'
import { JOB_FILTERS as FILTERS } from '../contract/filters.ts'
import { BulkJobs, Job } from '../contract/job.ts'
import { AppError } from '../errors.ts'
import { createOnce } from '../idempotency.ts'
import { listReply, pageOf, pathInteger, readQuery, SORTING } from '../query.ts'
import { createJobBatch } from './create-job-batch.ts'
import { createJobs, refuseStrangeIds } from './create-jobs.ts'
import { needJob, needWorkflow } from './guards.ts'
import { jobReply } from './job-reply.ts'
import { decideJobChange } from './job-rules.ts'

export function jobRoutes(services: Services): Hono<AppEnv> {
  const { db, clock } = services
  const routes = new Hono<AppEnv>()

  routes.post('/jobs', async c => {
    const body = await readBody(c, Job)
    return createOnce(c, services, function* () {
      const workflow = yield* needWorkflow(body.workflow_id)
      yield* refuseInitializing(workflow.id)
      const [row] = yield* createJobs(workflow, [body])
      return newJobReply(row!)
    })
  })

  routes.post('/bulk_jobs', async c => {
    const { jobs } = await readBody(c, BulkJobs)
    return createJobBatch(c, services, jobs, rows => ({ jobs: rows.map(newJobReply) }))
  })

  routes.get('/jobs', async c => {
    const query = readQuery(c, { ...FILTERS, ...SORTING })
    const page = pageOf(query)
    const { rows, total, keyset, links } = await db.read(function* () {
      yield* needWorkflow(query.workflow_id)
      const found = yield* listJobs(query, { ...query, ...page })
      const links = query.include_relationships ? yield* linksOf(found.rows.map(row => row.id)) : undefined
      return { ...found, links }
    })
    return c.json(
      listReply(
        rows.map(row => jobReply(row, links?.get(row.id))),
        total,
        page,
        keyset,
      ),
    )
  })

  routes.get('/jobs/:id', async c => {
    const id = pathInteger(c, 'id')
    const { row, links } = await db.read(() => wholeJob(id))
    return c.json(jobReply(row, links))
  })

  routes.put('/jobs/:id', async c => {
    const id = pathInteger(c, 'id')
    const body = await readBody(c, Job)
    const { row, links } = await db.write(function* () {
      const before = yield* wholeJob(id)
      yield* refuseInitializing(before.row.workflow_id)
      const change = decideJobChange(before.row, before.links, body)
      const { resource_requirements_id, failure_handler_id } = body
      yield* refuseStrangeIds(before.row.workflow_id, [
        {
          depends_on_job_ids: change.depends_on_job_ids && [...change.depends_on_job_ids],
          resource_requirements_id,
          failure_handler_id: failure_handler_id || undefined,
        },
      ])
      yield* refuseCycle(id, change.depends_on_job_ids ?? [])
      yield* updateJob(id, before.row.workflow_id, change)
      if (change.status !== undefined) yield* releaseDependantsOf(before.row, clock())
      return yield* wholeJob(id)
    })
    return c.json(jobReply(row, links))
  })

  routes.delete('/jobs/:id', async c => {
    const id = pathInteger(c, 'id')
    const { row, links } = await db.write(function* () {
      const found = yield* wholeJob(id)
      yield* refuseInitializing(found.row.workflow_id)
      yield* deleteJob(found.row, clock())
      return found
    })
    return c.json(jobReply(row, links))
  })

  routes.delete('/jobs', async c => {
    const { workflow_id } = readQuery(c, { workflow_id: 'integer!' })
    await db.read(function* () {
      yield* needWorkflow(workflow_id)
      yield* refuseInitializing(workflow_id)
    })
    let count = 0
    for (;;) {
      const deleted = await db.write(() => deleteSomeJobs(workflow_id))
      if (deleted === 0) return c.json({ count })
      count += deleted
    }
  })
  return routes
}

const newJobReply = (row: JobRow & JobLinks) => jobReply(row, row)

function* wholeJob(id: number): Unit<{ row: JobRow; links: JobLinks }> {
  const row = yield* needJob(id)
  const links = yield* linksOf([id])
  return { row, links: links.get(id) ?? NO_LINKS }
}

/** A job must not wait for itself, directly or through others. */
function* refuseCycle(id: number, dependsOn: readonly number[]): Unit<void> {
  if (dependsOn.length === 0) return
  const below = new Set([id, ...(yield* listDescendants([id]))])
  const own = dependsOn.find(other => below.has(other))
  if (own === undefined) return
  throw new AppError('invalid', `Cannot update job ${id} as it would wait for itself through job ${own}`, {
    field: 'depends_on_job_ids',
    value: own,
  })
}
