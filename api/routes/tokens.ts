import { Hono } from 'hono'
import { findToken, listTokens, revokeToken, type TokenRow } from '../../db/tokens.ts'
import type { Unit } from '../../db/unit.ts'
import { needSystemAdmin } from '../access-rules.ts'
import { readBody, readOptionalBody } from '../body.ts'
import type { AppEnv, AppRequest, Services } from '../context.ts'
import { NewToken, Rotation, TOKEN_QUERY, type Token } from '../contract/token.ts'
import { AppError, missing } from '../errors.ts'
import { listReply, pageOf, pathInteger, readQuery } from '../query.ts'
import { makeToken, renewToken } from '../tokens/make.ts'
import { tokenReply } from '../tokens/reply.ts'
import { needWorkflow } from './guards.ts'

/**
 * What administrators do with tokens. None of these replies is kept for a repeat of its request: a token's text stands nowhere but in
 * the reply that made it.
 */
export function tokenRoutes({ db, tokenDb, databaseOf, clock, tokens }: Services): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()

  routes.post('/tokens', async c => {
    await db.read(() => needSystemAdmin(c.var.subject))
    const body = await readBody(c, NewToken)
    refuseFencedAdmin(body)
    if (body.workflow_id != null) {
      const home = await databaseOf(body.project)
      await home.read(() => needWorkflow(body.workflow_id!))
    }
    const now = clock()
    const made = await makeToken(
      { db: tokenDb, clock },
      {
        name: body.name,
        scopes: body.scopes.join(),
        user_name: body.user ?? null,
        workflow_id: body.workflow_id ?? null,
        project: body.project ?? null,
        parent_id: null,
        created_at: now,
        created_by: c.var.user,
        expires_at: body.expires_in_seconds == null ? null : now + body.expires_in_seconds * 1_000,
      },
    )
    noteChange(c, made)
    return c.json(made)
  })

  routes.get('/tokens', async c => {
    const query = readQuery(c, TOKEN_QUERY)
    const page = pageOf(query)
    const now = clock()
    const { rows, total } = await tokenDb.read(function* () {
      yield* needSystemAdmin(c.var.subject)
      return yield* listTokens({ ...page, live: !query.all }, now)
    })
    const items = rows.map(row => tokenReply(row, now))
    return c.json(listReply(items, total, page))
  })

  routes.get('/tokens/:id', async c => {
    const id = pathInteger(c, 'id')
    return c.json(tokenReply(await tokenDb.read(() => needToken(c, id)), clock()))
  })

  routes.post('/tokens/:id/rotate', async c => {
    const id = pathInteger(c, 'id')
    const body = await readOptionalBody(c, Rotation)
    const row = await tokenDb.read(() => needToken(c, id))
    if (row.revoked_at !== null) throw new AppError('invalid', `Cannot rotate token ${id} as it was revoked`)
    const made = await renewToken({ db: tokenDb, clock }, id, (body?.grace_seconds ?? 0) * 1_000)
    tokens.forget()
    noteChange(c, made)
    return c.json(made)
  })

  routes.delete('/tokens/:id', async c => {
    const id = pathInteger(c, 'id')
    const row = await tokenDb.write(function* () {
      yield* needToken(c, id)
      yield* revokeToken(id, clock())
      return yield* needToken(c, id)
    })
    tokens.forget()
    const reply = tokenReply(row, clock())
    noteChange(c, reply)
    return c.json(reply)
  })
  return routes
}

function* needToken(c: AppRequest, id: number): Unit<TokenRow> {
  yield* needSystemAdmin(c.var.subject)
  const row = yield* findToken(id)
  if (row === undefined) throw missing('Token', id)
  return row
}

function refuseFencedAdmin({ scopes, workflow_id, project }: NewToken): void {
  if (!scopes.includes('admin') || (workflow_id == null && project == null)) return
  throw new AppError(
    'invalid',
    'Cannot make the token as admin concerns the whole server: leave out workflow_id and project',
    {
      field: 'scopes',
    },
  )
}

/** What the audit log says beside the call. */
function noteChange(c: AppRequest, { id, name, scopes, user, workflow_id, project }: Token): void {
  const facts = { name, scopes: scopes.join(' '), user, workflow_id, project }
  c.set('changed', `token ${id} ${JSON.stringify(facts)}`)
}
