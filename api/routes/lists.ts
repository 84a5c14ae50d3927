import type { ListRequest, Page } from '../../db/list.ts'
import type { Db, Unit } from '../../db/unit.ts'
import type { AppRequest } from '../context.ts'
import { listReply, pageOf, pathInteger, type Query, readQuery, type Shape, SORTING } from '../query.ts'
import { needWorkflow } from './guards.ts'

/** The filters of a list that shows the rows of one workflow. */
export type WorkflowFilters = Shape & { workflow_id: 'integer!' }

/** Answers a GET that lists rows of one workflow: reads filters, sorting and page, asks `list`, shows each row by `reply`. */
export async function answerList<const S extends WorkflowFilters, Row>(
  c: AppRequest,
  db: Db,
  filters: S,
  list: (filter: Query<S>, request: ListRequest) => Unit<Page<Row>>,
  reply: (row: Row) => object,
): Promise<Response> {
  const query = readQuery(c, { ...filters, ...SORTING }) as Query<S> & Query<typeof SORTING> & { workflow_id: number }
  const page = pageOf(query)
  const { sort_by, reverse_sort } = query
  const { rows, total, keyset } = await db.read(function* () {
    yield* needWorkflow(query.workflow_id)
    return yield* list(query, { ...page, sort_by, reverse_sort })
  })
  return c.json(
    listReply(
      rows.map(row => reply(row)),
      total,
      page,
      keyset,
    ),
  )
}

/** The same for a list below `/workflows/{id}` that has no filters. Some of them clamp a limit that is too large (contract/notes.md 2.1). */
export async function answerListBelow<Row>(
  c: AppRequest,
  db: Db,
  list: (workflowId: number, request: ListRequest) => Unit<Page<Row>>,
  reply: (row: Row) => object,
  overLimit: 'refuse' | 'clamp' = 'refuse',
): Promise<Response> {
  const id = pathInteger(c, 'id')
  const query = readQuery(c, SORTING)
  const page = pageOf(query, overLimit)
  const { rows, total, keyset } = await db.read(function* () {
    yield* needWorkflow(id)
    return yield* list(id, { ...query, ...page })
  })
  return c.json(
    listReply(
      rows.map(row => reply(row)),
      total,
      page,
      keyset,
    ),
  )
}
