import { Hono } from 'hono'
import { hideWorkflow, removeWorkflow } from '../../db/delete-workflow.ts'
import { workflow } from '../../db/schema.ts'
import { updateRow } from '../../db/table.ts'
import {
  insertWorkflow,
  listWorkflows,
  type NewWorkflowValues,
  type WorkflowRow,
  type WorkflowValues,
} from '../../db/workflows.ts'
import { findNamedGroups, linkGroups } from '../access-group-names.ts'
import { needOwner, ownerOfNew, projectOf } from '../access-rules.ts'
import { readBody } from '../body.ts'
import type { AppEnv, AppRequest, Services } from '../context.ts'
import { WORKFLOW_FILTERS as FILTERS } from '../contract/filters.ts'
import { NewWorkflow, WorkflowChange } from '../contract/workflow.ts'
import { dialectOf } from '../dialect.ts'
import { AppError } from '../errors.ts'
import { createOnce } from '../idempotency.ts'
import { listReply, pageOf, pathInteger, readQuery, SORTING } from '../query.ts'
import { needWorkflow } from './guards.ts'
import { jsonText, storedFlag } from './reply.ts'
import { sameEnv, sameSet } from './same.ts'
import { TEXT_OR_OBJECT, workflowReply } from './workflow-reply.ts'

export function workflowRoutes(services: Services): Hono<AppEnv> {
  const { db, clock, dialect: option } = services
  const routes = new Hono<AppEnv>()
  const reply = (c: AppRequest, row: WorkflowRow) =>
    workflowReply(
      row,
      dialectOf(name => c.req.header(name), option),
    )

  routes.post('/workflows', async c => {
    const body = await readBody(c, NewWorkflow)
    return createOnce(c, services, function* () {
      const groups = yield* findNamedGroups(body.access_groups, c.var.subject)
      const now = clock()
      const owned = { ...body, user: ownerOfNew(c.var, body.user), project: projectOf(c.var, body.project) }
      const { id } = yield* insertWorkflow(newWorkflowValues(owned, now))
      yield* linkGroups(id, groups, now)
      return reply(c, yield* needWorkflow(id))
    })
  })

  routes.get('/workflows', async c => {
    const query = readQuery(c, { ...FILTERS, ...SORTING })
    const page = pageOf(query)
    const { rows, total, keyset } = await db.read(() => listWorkflows(query, { ...query, ...page }, c.var.subject))
    return c.json(
      listReply(
        rows.map(row => reply(c, row)),
        total,
        page,
        keyset,
      ),
    )
  })

  routes.get('/workflows/:id', async c => {
    const id = pathInteger(c, 'id')
    return c.json(reply(c, await db.read(() => needWorkflow(id))))
  })

  routes.put('/workflows/:id', async c => {
    const id = pathInteger(c, 'id')
    const body = await readBody(c, WorkflowChange)
    const row = await db.write(function* () {
      const stored = yield* needWorkflow(id)
      if (body.user != null && body.user !== stored.user) yield* needOwner(c.var.subject, stored.user)
      projectOf(c.var, body.project)
      refuseFrozen(stored, body)
      return yield* updateRow(workflow, id, {
        ...changedValues(body, stored.json_objects),
        name: body.name ?? undefined,
        user: body.user ?? undefined,
      })
    })
    return c.json(reply(c, row))
  })

  routes.delete('/workflows/:id', async c => {
    const id = pathInteger(c, 'id')
    const row = await db.write(function* () {
      const found = yield* needWorkflow(id)
      yield* hideWorkflow(id, clock())
      return found
    })
    await removeWorkflow(db, id)
    return c.json(reply(c, row))
  })
  return routes
}

const envText = (env: Readonly<Record<string, string>> | null | undefined): string | null =>
  env == null || Object.keys(env).length === 0 ? null : JSON.stringify(env)

/** What a new workflow is stored with. */
export const newWorkflowValues = (body: NewWorkflow, now: number): NewWorkflowValues => ({
  ...changedValues(body, ''),
  name: body.name,
  user: body.user,
  env: envText(body.env),
  dynamic_jobs: jsonText(body.dynamic_jobs),
  submission_directory: body.submission_directory,
  created_at: now,
})

/** The columns that POST and PUT set alike; undefined for what the body does not say. `objects` is `json_objects` as stored. */
function changedValues(body: WorkflowChange, objects: string): WorkflowValues {
  return {
    description: body.description ?? undefined,
    project: body.project ?? undefined,
    slurm_config: body.slurm_config ?? undefined,
    use_pending_failed: storedFlag(body.use_pending_failed),
    enable_ro_crate: storedFlag(body.enable_ro_crate),
    wait_for_new_jobs_seconds: body.compute_node_wait_for_new_jobs_seconds ?? undefined,
    ignore_workflow_completion: storedFlag(body.compute_node_ignore_workflow_completion),
    wait_for_healthy_database_minutes: body.compute_node_wait_for_healthy_database_minutes ?? undefined,
    min_time_for_new_jobs_seconds: body.compute_node_min_time_for_new_jobs_seconds ?? undefined,
    expiration_buffer_seconds: body.compute_node_expiration_buffer_seconds ?? undefined,
    jobs_sort_method: body.jobs_sort_method ?? undefined,
    ...textOrObjectValues(body, objects),
  }
}

/** The fields of contract/notes.md 19.2 as given, and which of them are objects after this change. */
function textOrObjectValues(body: WorkflowChange, objects: string): WorkflowValues {
  const asObject = new Set(objects.split(',').filter(name => name !== ''))
  const values: WorkflowValues = {}
  for (const field of TEXT_OR_OBJECT) {
    const given = body[field]
    if (given == null) continue
    values[field] = typeof given === 'string' ? given : JSON.stringify(given)
    if (typeof given === 'string') asObject.delete(field)
    else asObject.add(field)
  }
  return { ...values, json_objects: [...asObject].join() }
}

/** What cannot change once a workflow exists; saying the same again is fine. */
function refuseFrozen(stored: WorkflowRow, body: WorkflowChange): void {
  if (body.env != null && !sameEnv(stored.env, body.env)) {
    throw new AppError('invalid', 'Cannot modify env of a workflow as it is immutable', { field: 'env' })
  }
  if (body.dynamic_jobs != null && jsonText(body.dynamic_jobs) !== stored.dynamic_jobs) {
    throw new AppError('invalid', 'Cannot update the workflow as dynamic_jobs is immutable', { field: 'dynamic_jobs' })
  }
  if (body.submission_directory != null && body.submission_directory !== stored.submission_directory) {
    throw new AppError('invalid', 'Cannot update the workflow as submission_directory is immutable', {
      field: 'submission_directory',
    })
  }
  if (body.access_groups != null && !sameSet(namesOf(stored.access_groups), body.access_groups)) {
    throw new AppError(
      'invalid',
      'Cannot update the workflow as access_groups change by linking and unlinking groups only',
      {
        field: 'access_groups',
      },
    )
  }
}

const namesOf = (stored: string | null): string[] => (stored === null ? [] : JSON.parse(stored))
