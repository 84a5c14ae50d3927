import { Hono } from 'hono'
import { userData } from '../../db/schema.ts'
import { updateRow } from '../../db/table.ts'
import type { Unit } from '../../db/unit.ts'
import {
  deleteAllUserData,
  deleteUserData,
  insertUserData,
  linkUserData,
  listUserData,
  type UserDataRow,
} from '../../db/user-data.ts'
import { readBody } from '../body.ts'
import type { AppEnv, Services } from '../context.ts'
import { USER_DATA_FILTERS as FILTERS, USER_DATA_LINKS as LINKS } from '../contract/filters.ts'
import { BulkUserData, NewUserData, UserDataChange } from '../contract/user-data.ts'
import { AppError } from '../errors.ts'
import { createOnce } from '../idempotency.ts'
import { pathInteger, readQuery } from '../query.ts'
import { oneWorkflowOf, refuseRepeatedNames } from './bulk.ts'
import { needJob, needRow, needWorkflow } from './guards.ts'
import { answerList } from './lists.ts'
import { mountPlain } from './plain.ts'
import { compact, jsonText, storedFlag } from './reply.ts'

/** Data may be any JSON value, so it joins after the nulls are gone: 0, false and "" stay. */
export const reply = ({ data, ...row }: UserDataRow) => ({
  ...compact({ ...row, is_ephemeral: row.is_ephemeral !== 0 }),
  ...(data === null ? {} : { data: JSON.parse(data) as unknown }),
})

export const values = ({ name, is_ephemeral, data }: NewUserData) => ({
  name,
  is_ephemeral: Number(is_ephemeral ?? false),
  data: jsonText(data) ?? null,
})

export function userDataRoutes(services: Services): Hono<AppEnv> {
  const { db } = services
  const routes = new Hono<AppEnv>()

  routes.post('/user_data', async c => {
    const query = readQuery(c, LINKS)
    const body = await readBody(c, NewUserData)
    return createOnce(c, services, function* () {
      yield* needWorkflow(body.workflow_id)
      const [row] = yield* insertUserData(body.workflow_id, [values(body)])
      if (query.consumer_job_id !== undefined) yield* link(row!, query.consumer_job_id, false)
      if (query.producer_job_id !== undefined) yield* link(row!, query.producer_job_id, true)
      return reply(row!)
    })
  })

  routes.post('/bulk_user_data', async c => {
    const { user_data } = await readBody(c, BulkUserData)
    return createOnce(c, services, function* () {
      const workflowId = yield* oneWorkflowOf(user_data, 'user_data')
      refuseRepeatedNames(user_data, 'user_data')
      const rows = yield* insertUserData(workflowId, user_data.map(values))
      return { user_data: rows.map(reply) }
    })
  })

  routes.get('/user_data', c => answerList(c, db, FILTERS, listUserData, reply))

  routes.put('/user_data/:id', async c => {
    const id = pathInteger(c, 'id')
    const body = await readBody(c, UserDataChange)
    const row = await db.write(function* () {
      yield* needRow(userData, 'User data', id)
      return yield* updateRow(userData, id, {
        name: body.name ?? undefined,
        is_ephemeral: storedFlag(body.is_ephemeral),
        data: jsonText(body.data),
      })
    })
    return c.json(reply(row))
  })

  mountPlain(routes, services, {
    path: '/user_data',
    noun: 'User data',
    table: userData,
    reply,
    remove: row => deleteUserData(row.id),
    removeAll: deleteAllUserData,
    describeRemoved: deleted_count => ({ deleted_count, message: `Deleted ${deleted_count} user data` }),
  })
  return routes
}

function* link(row: UserDataRow, jobId: number, isOutput: boolean): Unit<void> {
  const job = yield* needJob(jobId)
  if (job.workflow_id !== row.workflow_id) {
    throw new AppError('wrong_workflow', `Cannot link the user data as job ${jobId} belongs to another workflow`)
  }
  yield* linkUserData(jobId, row.id, isOutput)
}
