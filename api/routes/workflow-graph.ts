import { Hono } from 'hono'
import { listRequiredFiles } from '../../db/files.ts'
import { listJobIds } from '../../db/jobs.ts'
import type { ListRequest, Page } from '../../db/list.ts'
import { listFileRelationships, listJobDependencies, listUserDataRelationships } from '../../db/relationships.ts'
import { sumReadyRequirements } from '../../db/resource-requirements.ts'
import type { Unit } from '../../db/unit.ts'
import { listMissingUserData } from '../../db/user-data.ts'
import type { AppEnv, AppRequest, Services } from '../context.ts'
import { listReply, pageOf, pathInteger, readQuery, SORTING } from '../query.ts'
import { needWorkflow } from './guards.ts'
import { compact } from './reply.ts'

/** What depends on what in a workflow, and what it needs before it can run. */
export function workflowGraphRoutes({ db }: Services): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()

  /** One page of a list that has no filters, of a workflow that must exist. */
  async function page<Row extends object>(
    c: AppRequest,
    list: (workflowId: number, request: ListRequest) => Unit<Page<Row>>,
  ) {
    const id = pathInteger(c, 'id')
    const query = readQuery(c, SORTING)
    const page = pageOf(query, 'clamp')
    const { rows, total } = await db.read(function* () {
      yield* needWorkflow(id)
      return yield* list(id, { ...query, ...page })
    })
    return listReply(
      rows.map(row => compact(row)),
      total,
      page,
    )
  }

  /** What a unit tells of a workflow that must exist. */
  function told<T>(c: AppRequest, unit: (workflowId: number) => Unit<T>): Promise<T> {
    const id = pathInteger(c, 'id')
    return db.read(function* () {
      yield* needWorkflow(id)
      return yield* unit(id)
    })
  }

  routes.get('/workflows/:id/job_dependencies', async c => c.json(await page(c, listJobDependencies)))

  routes.get('/workflows/:id/job_file_relationships', async c => c.json(await page(c, listFileRelationships)))

  routes.get('/workflows/:id/job_user_data_relationships', async c => c.json(await page(c, listUserDataRelationships)))

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
