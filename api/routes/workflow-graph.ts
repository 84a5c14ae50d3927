import { Hono } from 'hono'
import { listRequiredFiles } from '../../db/files.ts'
import { listJobIds } from '../../db/jobs.ts'
import { listFileRelationships, listJobDependencies, listUserDataRelationships } from '../../db/relationships.ts'
import { sumReadyRequirements } from '../../db/resource-requirements.ts'
import type { Unit } from '../../db/unit.ts'
import { listMissingUserData } from '../../db/user-data.ts'
import type { AppEnv, AppRequest, Services } from '../context.ts'
import { pathInteger, readQuery } from '../query.ts'
import { needWorkflow } from './guards.ts'
import { answerListBelow } from './lists.ts'
import { compact } from './reply.ts'

/** What depends on what in a workflow, and what it needs before it can run. */
export function workflowGraphRoutes({ db }: Services): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()

  /** What a unit tells of a workflow that must exist. */
  function told<T>(c: AppRequest, unit: (workflowId: number) => Unit<T>): Promise<T> {
    const id = pathInteger(c, 'id')
    return db.read(function* () {
      yield* needWorkflow(id)
      return yield* unit(id)
    })
  }

  routes.get('/workflows/:id/job_dependencies', c => answerListBelow(c, db, listJobDependencies, compact, 'clamp'))

  routes.get('/workflows/:id/job_file_relationships', c =>
    answerListBelow(c, db, listFileRelationships, compact, 'clamp'),
  )

  routes.get('/workflows/:id/job_user_data_relationships', c =>
    answerListBelow(c, db, listUserDataRelationships, compact, 'clamp'),
  )

  routes.get('/workflows/:id/job_ids', async c => {
    const job_ids = await told(c, listJobIds)
    return c.json({ job_ids, count: job_ids.length })
  })

  routes.get('/workflows/:id/missing_user_data', async c => c.json({ user_data: await told(c, listMissingUserData) }))

  routes.get('/workflows/:id/required_existing_files', async c => c.json({ files: await told(c, listRequiredFiles) }))

  routes.get('/workflows/:id/ready_job_requirements', async c => {
    const { scheduler_config_id } = readQuery(c, { scheduler_config_id: 'integer' })
    const { memory_bytes, max_runtime_seconds, ...sums } = await told(c, id =>
      sumReadyRequirements(id, scheduler_config_id),
    )
    return c.json({ ...sums, memory_gb: memory_bytes / 2 ** 30, max_runtime: `PT${Math.trunc(max_runtime_seconds)}S` })
  })
  return routes
}
