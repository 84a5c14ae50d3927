import { Hono } from 'hono'
import { type AuditRow, listAudit, recordAudit } from '../../db/admin-audit.ts'
import { listAdminCalls } from '../../db/admin-calls.ts'
import { needSystemAdmin } from '../access-rules.ts'
import { readBody } from '../body.ts'
import type { AppEnv, AppRequest, Services } from '../context.ts'
import { AdminSqlRequest, API_STATS_QUERY } from '../contract/admin.ts'
import { faultOfReadSql } from '../core/read-sql.ts'
import { AppError } from '../errors.ts'
import { listReply, MAX_PAGE, pageOf, readQuery } from '../query.ts'
import { KEPT_SECONDS } from '../request-stats.ts'
import { compact, flag } from './reply.ts'

/** What administrators ask of the server itself (contract/notes.md 6.4, 19.12). */
export function adminRoutes({ db, clock, access, stats }: Services): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()
  const adminSql = access?.enforce ? access.adminSql : undefined
  const needAdmin = (c: AppRequest): Promise<void> => db.read(() => needSystemAdmin(c.var.subject))

  routes.post('/admin/reload-auth', async c => {
    await needAdmin(c)
    if (access?.passwords === undefined)
      throw new AppError('invalid', 'Cannot reload the password file as this server has none')
    const user_count = await access.passwords.reload()
    return c.json({ message: `Read the password file: ${user_count} users`, user_count })
  })

  routes.post('/admin/sql', async c => {
    // Closed before anything is looked at, the statement included: our tables are none that scripts know (19.12).
    if (adminSql === undefined) throw new AppError('forbidden', 'admin SQL is disabled on this server')
    await needAdmin(c)
    const body = await readBody(c, AdminSqlRequest)
    const limit = body.limit ?? MAX_PAGE
    if (limit < 1 || limit > MAX_PAGE)
      throw new AppError('invalid', `Cannot run the statement as limit must be 1 to ${MAX_PAGE}`, { field: 'limit' })

    const isWrite = body.write ?? false
    const fullTable = body.allow_full_table ?? false
    const entry = { user: c.var.user, at: clock(), sql: body.sql, isWrite, fullTable }
    const refuse = async (refusal: AppError): Promise<never> => {
      await db.write(() => recordAudit({ ...entry, error: refusal.message }))
      throw refusal
    }
    if (isWrite) return refuse(new AppError('forbidden', 'admin SQL on this server only reads: write must be false'))
    const fault = faultOfReadSql(body.sql)
    if (fault !== undefined)
      return refuse(new AppError('invalid', `Cannot run the statement as ${fault}`, { error: 'InvalidStatement' }))
    const answer = await adminSql(body.sql, limit)
    if ('failure' in answer)
      return refuse(new AppError('invalid', `Cannot run the statement: ${answer.failure}`, { error: 'QueryFailed' }))
    await db.write(() => recordAudit(entry))
    return c.json({ ...answer, committed: false })
  })

  routes.get('/admin/audit-log', async c => {
    const page = pageOf(readQuery(c, { offset: 'integer', limit: 'integer' }), 'clamp')
    const { rows, total } = await db.read(function* () {
      yield* needSystemAdmin(c.var.subject)
      return yield* listAudit(page.offset, page.limit)
    })
    return c.json(listReply(rows.map(auditReply), total, page))
  })

  routes.get('/admin/calls', async c => {
    const page = pageOf(readQuery(c, { offset: 'integer', limit: 'integer' }), 'clamp')
    const { rows, total } = await db.read(function* () {
      yield* needSystemAdmin(c.var.subject)
      return yield* listAdminCalls(page.offset, page.limit)
    })
    return c.json(listReply(rows.map(compact), total, page))
  })

  routes.get('/admin/api-stats', async c => {
    const { window_seconds = KEPT_SECONDS, interval_seconds = 60 } = readQuery(c, API_STATS_QUERY)
    await needAdmin(c)
    for (const [field, value] of Object.entries({ window_seconds, interval_seconds })) {
      if (value < 1 || value > KEPT_SECONDS)
        throw new AppError('invalid', `Cannot count as ${field} must be 1 to ${KEPT_SECONDS}`, { field, value })
    }
    const buckets = stats?.buckets(window_seconds, interval_seconds) ?? []
    return c.json({ now_ms: clock(), interval_seconds, window_seconds, buckets })
  })
  return routes
}

const auditReply = (row: AuditRow) =>
  compact({
    ...row,
    is_write: flag(row.is_write),
    allow_full_table: flag(row.allow_full_table),
    committed: flag(row.committed),
    success: flag(row.success),
  })
