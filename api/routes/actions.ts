import { Hono } from 'hono'
import {
  type ActionRow,
  claimAction,
  deleteAction,
  findAction,
  insertAction,
  listActions,
  listPendingActions,
} from '../../db/actions.ts'
import { hasComputeNode } from '../../db/compute-nodes.ts'
import { recordUserAction } from '../../db/events.ts'
import { findStrangeLink } from '../../db/job-links.ts'
import { action } from '../../db/schema.ts'
import { updateRow } from '../../db/table.ts'
import type { Unit } from '../../db/unit.ts'
import { check, readBody, readJson, readOptionalBody } from '../body.ts'
import type { AppEnv, Services } from '../context.ts'
import {
  ActionClaim,
  ActionConfigChange,
  countsJobs,
  faultOfActionConfig,
  NewAction,
  type TriggerType,
} from '../contract/action.ts'
import type { JsonObject } from '../contract/fields.ts'
import { AppError } from '../errors.ts'
import { createOnce } from '../idempotency.ts'
import { pathInteger, readQuery } from '../query.ts'
import { needWorkflow } from './guards.ts'
import { compact, flag, rfc3339 } from './reply.ts'

export function reply({ job_ids, ...row }: ActionRow) {
  const jobs: number[] = JSON.parse(job_ids)
  return compact({
    ...row,
    action_config: JSON.parse(row.action_config) as unknown,
    executed: flag(row.executed),
    persistent: flag(row.persistent),
    is_recovery: flag(row.is_recovery),
    job_ids: jobs.length === 0 ? null : jobs,
  })
}

export function actionRoutes(services: Services): Hono<AppEnv> {
  const { db, clock } = services
  const routes = new Hono<AppEnv>()

  routes.post('/workflows/:id/actions', async c => {
    const id = pathInteger(c, 'id')
    const body = await readBody(c, NewAction)
    return createOnce(c, services, function* () {
      yield* needWorkflow(id)
      refuseConfig(body.action_type, body.action_config)
      const jobIds = [...new Set(body.job_ids ?? [])]
      const strange = yield* findStrangeLink(id, [{ depends_on_job_ids: jobIds }])
      if (strange !== undefined) {
        throw new AppError(
          'invalid',
          `Cannot create the action as job_ids names no job of workflow ${id}: ${strange.id}`,
          {
            field: 'job_ids',
            value: strange.id,
          },
        )
      }
      const actionId = yield* insertAction(newValues(id, body), jobIds)
      return reply(yield* needAction(id, actionId))
    })
  })

  routes.get('/workflows/:id/actions', async c => {
    const id = pathInteger(c, 'id')
    const rows = await db.read(function* () {
      yield* needWorkflow(id)
      return yield* listActions(id)
    })
    return c.json(rows.map(reply))
  })

  routes.get('/workflows/:id/actions/pending', async c => {
    const id = pathInteger(c, 'id')
    const { trigger_type = [] } = readQuery(c, { trigger_type: 'texts' })
    const rows = await db.read(function* () {
      yield* needWorkflow(id)
      return yield* listPendingActions(id, trigger_type)
    })
    return c.json(rows.map(reply))
  })

  routes.put('/workflows/:id/actions/:action_id', async c => {
    const id = pathInteger(c, 'id')
    const actionId = pathInteger(c, 'action_id')
    const body = await readJson(c)
    const row = await db.write(function* () {
      yield* needWorkflow(id)
      const before = yield* needAction(id, actionId)
      const change = check(ActionConfigChange, body)
      const config: JsonObject = { ...JSON.parse(before.action_config), ...change }
      refuseConfig(before.action_type, config)
      yield* updateRow(action, actionId, { action_config: JSON.stringify(config) })
      yield* recordUserAction(id, clock(), c.var.user, 'update_workflow_action', { action_id: actionId })
      return yield* needAction(id, actionId)
    })
    return c.json(reply(row))
  })

  routes.delete('/workflows/:id/actions/:action_id', async c => {
    const id = pathInteger(c, 'id')
    const actionId = pathInteger(c, 'action_id')
    const row = await db.write(function* () {
      yield* needWorkflow(id)
      const found = yield* needAction(id, actionId)
      yield* deleteAction(actionId)
      yield* recordUserAction(id, clock(), c.var.user, 'delete_workflow_action', { action_id: actionId })
      return found
    })
    return c.json({ ...reply(row), message: `Deleted action ${actionId}` })
  })

  routes.post('/workflows/:id/actions/:action_id/claim', async c => {
    const id = pathInteger(c, 'id')
    const actionId = pathInteger(c, 'action_id')
    const nodeId = (await readOptionalBody(c, ActionClaim))?.compute_node_id ?? null
    await db.write(function* () {
      yield* needWorkflow(id)
      const found = yield* needAction(id, actionId)
      if (nodeId !== null && !(yield* hasComputeNode(id, nodeId))) {
        throw new AppError('invalid', `Cannot claim action ${actionId} as there is no compute node ${nodeId}`, {
          field: 'compute_node_id',
        })
      }
      if (found.executed !== 0 && found.persistent === 0) {
        throw new AppError('conflict', `Cannot claim action ${actionId} as it is taken`, { claimed: false })
      }
      yield* claimAction(found, nodeId, rfc3339(clock()))
    })
    // The contract says success, older servers sent claimed: both (contract/notes.md 12.3).
    return c.json({ action_id: actionId, success: true, claimed: true })
  })
  return routes
}

function* needAction(workflowId: number, id: number): Unit<ActionRow> {
  const row = yield* findAction(workflowId, id)
  if (row === undefined) throw new AppError('not_found', `Action not found with ID: ${id}`)
  return row
}

export function refuseConfig(actionType: string, config: JsonObject): void {
  const fault = faultOfActionConfig(actionType, config)
  if (fault !== undefined) throw new AppError('invalid', fault, { field: 'action_config' })
}

/** A trigger needs as many counts as it has jobs, whatever the body says; without jobs it never gets the one it needs. */
export function newValues(workflowId: number, body: NewAction) {
  const trigger: TriggerType = body.trigger_type
  return {
    workflow_id: workflowId,
    trigger_type: trigger,
    action_type: body.action_type,
    action_config: JSON.stringify(body.action_config),
    required_triggers: countsJobs(trigger) ? Math.max(1, new Set(body.job_ids ?? []).size) : 1,
    trigger_count: body.trigger_count ?? 0,
    executed: Number(body.executed ?? false),
    executed_at: body.executed_at ?? null,
    persistent: Number(body.persistent ?? false),
    is_recovery: Number(body.is_recovery ?? false),
  }
}
