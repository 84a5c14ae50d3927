import { Hono } from 'hono'
import { isEntityTaken, listRoCrateEntities, type RoCrateEntityRow } from '../../db/ro-crate-entities.ts'
import { file, roCrateEntity } from '../../db/schema.ts'
import { deleteRow, deleteRowsOf, insertRow, updateRow } from '../../db/table.ts'
import type { Unit } from '../../db/unit.ts'
import { readBody } from '../body.ts'
import type { AppEnv, AppRequest, Services } from '../context.ts'
import { RO_CRATE_FILTERS as FILTERS } from '../contract/filters.ts'
import { NewRoCrateEntity, RoCrateEntityChange } from '../contract/ro-crate-entity.ts'
import { type Dialect, dialectOf } from '../dialect.ts'
import { AppError } from '../errors.ts'
import { createOnce } from '../idempotency.ts'
import { listReply, pageOf, pathInteger, readQuery, SORTING } from '../query.ts'
import { needRow, needWorkflow } from './guards.ts'
import { compact } from './reply.ts'
import { inDialect } from './text-or-object.ts'

export function roCrateEntityRoutes(services: Services): Hono<AppEnv> {
  const { db, dialect: option } = services
  const routes = new Hono<AppEnv>()
  const dialect = (c: AppRequest) => dialectOf(name => c.req.header(name), option)

  routes.post('/ro_crate_entities', async c => {
    const body = await readBody(c, NewRoCrateEntity)
    return createOnce(c, services, function* () {
      yield* needWorkflow(body.workflow_id)
      const values = yield* checkedValues(body.workflow_id, body, null)
      return reply(yield* insertRow(roCrateEntity, { workflow_id: body.workflow_id, ...values }), dialect(c))
    })
  })

  routes.get('/workflows/:id/ro_crate_entities', async c => {
    const id = pathInteger(c, 'id')
    const query = readQuery(c, { ...FILTERS, ...SORTING })
    const page = pageOf(query)
    const { rows, total, keyset } = await db.read(function* () {
      yield* needWorkflow(id)
      return yield* listRoCrateEntities({ ...query, workflow_id: id }, { ...query, ...page })
    })
    const items = rows.map(row => reply(row, dialect(c)))
    return c.json(listReply(items, total, page, keyset))
  })

  routes.delete('/workflows/:id/ro_crate_entities', async c => {
    const id = pathInteger(c, 'id')
    const count = await db.write(function* () {
      yield* needWorkflow(id)
      return yield* deleteRowsOf(roCrateEntity, id)
    })
    return c.json({ message: `Deleted ${count} RO-Crate entities`, deleted_count: count, count })
  })

  routes.get('/ro_crate_entities/:id', async c => {
    const id = pathInteger(c, 'id')
    return c.json(reply(await db.read(() => needEntity(id)), dialect(c)))
  })

  routes.put('/ro_crate_entities/:id', async c => {
    const id = pathInteger(c, 'id')
    const body = await readBody(c, RoCrateEntityChange)
    const row = await db.write(function* () {
      const { workflow_id } = yield* needEntity(id)
      return yield* updateRow(roCrateEntity, id, yield* checkedValues(workflow_id, body, id))
    })
    return c.json(reply(row, dialect(c)))
  })

  routes.delete('/ro_crate_entities/:id', async c => {
    const id = pathInteger(c, 'id')
    const row = await db.write(function* () {
      const found = yield* needEntity(id)
      yield* deleteRow(roCrateEntity, id)
      return found
    })
    return c.json({ ...reply(row, dialect(c)), message: `Deleted RO-Crate entity ${id}` })
  })
  return routes
}

const needEntity = (id: number): Unit<RoCrateEntityRow> => needRow(roCrateEntity, 'RO-Crate entity', id)

/** Every column but the workflow; 422 for a file of another workflow and for a second entity of one id or file (19.11). */
function* checkedValues(workflowId: number, body: RoCrateEntityChange, except: number | null) {
  const { entity_id, entity_type } = body
  const file_id = body.file_id ?? null
  if (file_id !== null) {
    const found = yield* needRow(file, 'File', file_id)
    if (found.workflow_id !== workflowId) {
      throw new AppError('wrong_workflow', `Cannot store the entity as file ${file_id} belongs to another workflow`)
    }
  }
  if (yield* isEntityTaken(workflowId, { entity_id, file_id }, except)) {
    throw new AppError(
      'invalid',
      `Cannot store the entity as one of its id or file already exists in workflow ${workflowId}`,
      {
        field: 'entity_id',
      },
    )
  }
  const isObject = typeof body.metadata !== 'string'
  return {
    file_id,
    entity_id,
    entity_type,
    metadata: typeof body.metadata === 'string' ? body.metadata : JSON.stringify(body.metadata),
    metadata_is_object: Number(isObject),
  }
}

export function reply({ metadata, metadata_is_object, ...row }: RoCrateEntityRow, dialect: Dialect) {
  return compact({ ...row, metadata: inDialect(metadata, metadata_is_object !== 0, dialect) ?? {} })
}
