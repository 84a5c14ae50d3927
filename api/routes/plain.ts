import type { InferSelectModel } from 'drizzle-orm'
import type { SQLiteColumn, SQLiteTable } from 'drizzle-orm/sqlite-core'
import type { Hono } from 'hono'
import { deleteRow, deleteRowsOf } from '../../db/table.ts'
import type { Unit } from '../../db/unit.ts'
import type { AppEnv, Services } from '../context.ts'
import { pathInteger, readQuery } from '../query.ts'
import { needRow, needWorkflow } from './guards.ts'

type OwnedTable = SQLiteTable & { id: SQLiteColumn; workflow_id: SQLiteColumn }

export type PlainResource<T extends OwnedTable> = {
  /** `/files` */
  path: string
  /** "File", for messages. */
  noun: string
  table: T
  reply: (row: InferSelectModel<T>) => object
  /** What goes with one row, or may keep it: the plain delete unless given. */
  remove?: (row: InferSelectModel<T>) => Unit<void>
  /** The same for all rows of a workflow; tells how many went. */
  removeAll?: (workflowId: number) => Unit<number>
  /** More than `count` in the reply of the delete of all. */
  describeRemoved?: (count: number) => object
}

/** Mounts what all resources answer alike: GET and DELETE by id, DELETE of all that a workflow has (contract/notes.md 5). */
export function mountPlain<T extends OwnedTable>(
  routes: Hono<AppEnv>,
  services: Services,
  resource: PlainResource<T>,
): void {
  const { path, noun, table, reply } = resource
  const remove = resource.remove ?? ((row: InferSelectModel<T>) => deleteRow(table, (row as { id: number }).id))
  const removeAll = resource.removeAll ?? ((workflowId: number) => deleteRowsOf(table, workflowId))

  routes.get(`${path}/:id`, async c => {
    const id = pathInteger(c, 'id')
    const row = await services.db.read(() => needRow(table, noun, id))
    return c.json(reply(row))
  })

  routes.delete(`${path}/:id`, async c => {
    const id = pathInteger(c, 'id')
    const row = await services.db.write(function* () {
      const found = yield* needRow(table, noun, id)
      yield* remove(found)
      return found
    })
    return c.json(reply(row))
  })

  routes.delete(path, async c => {
    const { workflow_id } = readQuery(c, { workflow_id: 'integer!' })
    const count = await services.db.write(function* () {
      yield* needWorkflow(workflow_id)
      return yield* removeAll(workflow_id)
    })
    return c.json({ count, ...resource.describeRemoved?.(count) })
  })
}
