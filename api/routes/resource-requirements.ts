import { Hono } from 'hono'
import { recordUserAction } from '../../db/events.ts'
import {
  deleteUnusedRequirements,
  isUsed,
  listRequirements,
  type RequirementsRow,
} from '../../db/resource-requirements.ts'
import { resourceRequirements } from '../../db/schema.ts'
import { insertRow, updateRow } from '../../db/table.ts'
import { readBody } from '../body.ts'
import type { AppEnv, Services } from '../context.ts'
import { REQUIREMENTS_FILTERS as FILTERS } from '../contract/filters.ts'
import { NewResourceRequirements, ResourceRequirementsChange } from '../contract/resource-requirements.ts'
import { parseWireDuration } from '../core/duration.ts'
import { parseMemory } from '../core/memory.ts'
import { AppError } from '../errors.ts'
import { createOnce } from '../idempotency.ts'
import { pathInteger } from '../query.ts'
import { needRow, needWorkflow } from './guards.ts'
import { answerList } from './lists.ts'
import { mountPlain } from './plain.ts'

/** The name every workflow has its own requirement under. */
const RESERVED = 'default'

export const reply = ({ id, workflow_id, name, num_cpus, num_gpus, num_nodes, memory, runtime }: RequirementsRow) => ({
  id,
  workflow_id,
  name,
  num_cpus,
  num_gpus,
  num_nodes,
  memory,
  runtime,
})

/** Every column but the name; what a body leaves out falls back to its default, in PUT too (contract/notes.md 13.1). */
export function amounts(body: ResourceRequirementsChange) {
  const memory = body.memory ?? '1m'
  const runtime = body.runtime ?? 'PT1M'
  const memory_bytes = parseMemory(memory)
  const runtime_seconds = parseWireDuration(runtime)
  if (memory_bytes === undefined) {
    throw new AppError('invalid', 'Cannot read memory: digits and an optional k, m, g or t', {
      field: 'memory',
      value: memory,
    })
  }
  if (runtime_seconds === undefined) {
    throw new AppError('invalid', 'Cannot read runtime: an ISO 8601 duration such as PT1H30M', {
      field: 'runtime',
      value: runtime,
    })
  }
  return {
    num_cpus: body.num_cpus ?? 1,
    num_gpus: body.num_gpus ?? 0,
    num_nodes: body.num_nodes ?? 1,
    memory,
    runtime,
    memory_bytes,
    runtime_seconds,
  }
}

export function resourceRequirementsRoutes(services: Services): Hono<AppEnv> {
  const { db, clock } = services
  const routes = new Hono<AppEnv>()

  routes.post('/resource_requirements', async c => {
    const body = await readBody(c, NewResourceRequirements)
    return createOnce(c, services, function* () {
      yield* needWorkflow(body.workflow_id)
      if (body.name === RESERVED) {
        throw new AppError('invalid', `Cannot create resource requirements as the name "${RESERVED}" is reserved`, {
          field: 'name',
        })
      }
      const values = { workflow_id: body.workflow_id, name: body.name, ...amounts(body) }
      return reply(yield* insertRow(resourceRequirements, values))
    })
  })

  routes.get('/resource_requirements', c => answerList(c, db, FILTERS, listRequirements, reply))

  routes.put('/resource_requirements/:id', async c => {
    const id = pathInteger(c, 'id')
    const body = await readBody(c, ResourceRequirementsChange)
    const row = await db.write(function* () {
      const before = yield* needRow(resourceRequirements, 'Resource requirements', id)
      const name = body.name ?? before.name
      // Jobs that name no requirements find theirs by this name.
      if (name !== before.name && (name === RESERVED || before.name === RESERVED)) {
        throw new AppError(
          'invalid',
          `Cannot rename resource requirements ${id} as the name "${RESERVED}" is reserved`,
          {
            field: 'name',
          },
        )
      }
      const row = yield* updateRow(resourceRequirements, id, { name, ...amounts(body) })
      const { workflow_id, id: resource_requirements_id, ...details } = reply(row)
      yield* recordUserAction(workflow_id, clock(), c.var.user, 'update_resource_requirements', {
        resource_requirements_id,
        ...details,
      })
      return row
    })
    return c.json(reply(row))
  })

  mountPlain(routes, services, {
    path: '/resource_requirements',
    noun: 'Resource requirements',
    table: resourceRequirements,
    reply,
    *remove(row) {
      if (row.name === RESERVED)
        throw new AppError('invalid', `Cannot delete resource requirements ${row.id} as they are the default`)
      if (yield* isUsed(row.id))
        throw new AppError('invalid', `Cannot delete resource requirements ${row.id} as a job uses them`)
      yield* deleteUnusedRequirements(row.workflow_id, row.id)
    },
    removeAll: workflowId => deleteUnusedRequirements(workflowId),
  })
  return routes
}
