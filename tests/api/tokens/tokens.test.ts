import { afterEach, beforeEach, expect, it } from 'vitest'
import { formatToken, parseToken } from '../../../api/core/token-text.ts'
import { BELIEVED_MS } from '../../../api/tokens/check.ts'
import { all } from '../../../db/unit.ts'
import { accessApp, as, basic, operator } from '../../helpers/access.ts'
import type { TestApp } from '../../helpers/app.ts'
import { bearer, seedToken } from '../../helpers/tokens.ts'

let t: TestApp
beforeEach(async () => {
  t = await accessApp({ enforce: false })
})
afterEach(() => t.close())

const statusWith = async (token: string, path = '/workflows') => (await t.get(path, bearer(token))).status
const rowsOf = (table: string) => t.db.read(() => all<Record<string, unknown>>(`SELECT * FROM ${table}`))

it('POST /tokens gives a token once, and stores neither it nor its secret', async () => {
  const { status, body } = await t.post('/tokens', { name: 'ci', scopes: ['read'], user: 'ada' }, operator)
  expect(status).toBe(200)
  expect(body).toEqual({
    id: 1,
    name: 'ci',
    scopes: ['read'],
    status: 'active',
    user: 'ada',
    created_at: '2026-01-01T00:00:00.000Z',
    created_by: 'anonymous',
    token: expect.stringMatching(/^hr_1_[0-9A-Za-z]{49}$/),
  })
  const { secret } = parseToken(body.token)!
  for (const table of ['token', 'admin_call', 'idempotency']) {
    const stored = JSON.stringify(await rowsOf(table))
    expect(stored).not.toContain(secret)
    expect(stored).not.toContain(body.token)
  }
  const { token: _, ...shown } = body
  expect((await t.get('/tokens/1', operator)).body).toEqual(shown)
  expect((await t.get('/tokens', operator)).body).toMatchObject({ items: [shown], total_count: 1, has_more: false })
})

it('POST /tokens keeps no reply for an Idempotency-Key, as that would keep the token', async () => {
  const once = { ...operator, 'idempotency-key': 'k' }
  const first = await t.post('/tokens', { name: 'a', scopes: ['read'] }, once)
  const second = await t.post('/tokens', { name: 'a', scopes: ['read'] }, once)
  expect(second.body.id).toBe(first.body.id + 1)
  expect(await rowsOf('idempotency')).toEqual([])
})

it.each([
  [{ scopes: ['read'] }, 'name'],
  [{ name: '', scopes: ['read'] }, 'name'],
  [{ name: 'a\nb', scopes: ['read'] }, 'name'],
  [{ name: 'a', scopes: [] }, 'scopes'],
  [{ name: 'a', scopes: ['root'] }, 'scopes.0'],
  [{ name: 'a', scopes: ['read'], expires_in_seconds: 0 }, 'expires_in_seconds'],
  [{ name: 'a', scopes: ['admin'], project: 'p' }, 'scopes'],
])('POST /tokens refuses %j and names the field', async (body, field) => {
  expect(await t.post('/tokens', body, operator)).toMatchObject({ status: 422, body: { error: { field } } })
})

it('POST /tokens refuses a workflow that is not there', async () => {
  expect((await t.post('/tokens', { name: 'a', scopes: ['read'], workflow_id: 9 }, operator)).status).toBe(404)
})

it('admit() takes a token as Bearer and as Basic password; things are recorded under its user, else under the one named', async () => {
  const adas = await seedToken(t, { scopes: ['write'], user: 'ada' })
  const nobodys = await seedToken(t, { scopes: ['write'] })
  const userOf = async (headers: Record<string, string>) => {
    const { status, body } = await t.post(
      '/workflows/from_spec',
      { name: 'w', jobs: [{ name: 'j', command: 'true' }] },
      headers,
    )
    expect(status).toBe(200)
    return (await t.get(`/workflows/${body.workflow_id}`, operator)).body.user
  }
  expect(await userOf(bearer(adas.token))).toBe('ada')
  expect(await userOf(basic('ben', adas.token))).toBe('ada')
  expect(await userOf(basic('ben', nobodys.token))).toBe('ben')
  expect(await userOf(bearer(nobodys.token))).toBe('anonymous')
})

it('S98 admit() ends with 401 in one form for a token that is unknown, tampered with, expired or revoked', async () => {
  const { id, token } = await seedToken(t, { scopes: ['read'], expires_in_seconds: 60 })
  expect(await statusWith(token)).toBe(200)
  const { secret } = parseToken(token)!
  const wrong = {
    'a wrong checksum': `${token.slice(0, -1)}${token.endsWith('a') ? 'b' : 'a'}`,
    'another secret': formatToken({ id, secret: [...secret].reverse().join('') }),
    'an unknown id': formatToken({ id: id + 1_000, secret }),
    'no token at all': 'x',
  }
  const shapes = new Set<string>()
  for (const [what, text] of Object.entries(wrong)) {
    for (const headers of [bearer(text), basic('ada', text)]) {
      const { status, body, headers: replied } = await t.get('/workflows', headers)
      expect(status, what).toBe(401)
      expect(replied.get('www-authenticate')).toBe('Basic realm="Torc"')
      shapes.add(JSON.stringify(body))
    }
  }
  expect(shapes.size).toBe(1)

  t.clock.now += 61_000
  const expired = await t.get('/workflows', bearer(token))
  expect(expired).toMatchObject({ status: 401, body: { error: { code: 'unauthorized' } } })
  expect(expired.body.error.message).toContain('expired')

  const other = await seedToken(t, { scopes: ['read'] })
  await t.del(`/tokens/${other.id}`, operator)
  const revoked = await t.get('/workflows', bearer(other.token))
  expect(revoked).toMatchObject({ status: 401, body: { error: { code: 'unauthorized' } } })
  expect(revoked.body.error.message).toContain('revoked')
  // Who does not have the secret is not told that such a token ever was.
  const guessed = formatToken({ id: other.id, secret })
  expect((await t.get('/workflows', bearer(guessed))).body.error.message).not.toContain('revoked')
})

it('DELETE /tokens/{id} ends a token at once here, and within the stated time at other instances', async () => {
  const { id, token } = await seedToken(t, { scopes: ['read'] })
  const other = await accessAppOn(t)
  expect([await statusWith(token), await other(token)]).toEqual([200, 200])
  expect((await t.del(`/tokens/${id}`, operator)).body).toMatchObject({ id, status: 'revoked' })
  expect([await statusWith(token), await other(token)]).toEqual([401, 200])
  t.clock.now += BELIEVED_MS
  expect(await other(token)).toBe(401)
  // Again is no mistake, and does not move the moment.
  const again = await t.del(`/tokens/${id}`, operator)
  expect(again).toMatchObject({ status: 200, body: { revoked_at: '2026-01-01T00:00:00.000Z' } })
})

/** Another instance over the same database and clock. */
async function accessAppOn(one: TestApp): Promise<(token: string) => Promise<number>> {
  const { createApp } = await import('../../../api/app.ts')
  const app = createApp({ db: one.db, clock: () => one.clock.now, version: '0', access: { token: 'another' } })
  return async token => (await app.request('/v1/workflows', { headers: bearer(token) })).status
}

it('POST /tokens/{id}/rotate changes the secret; the old one opens for as long as was asked for', async () => {
  const { id, token } = await seedToken(t, { scopes: ['read'] })
  const first = await t.post(`/tokens/${id}/rotate`, { grace_seconds: 60 }, operator)
  expect(first.body).toMatchObject({ id, previous_until: '2026-01-01T00:01:00.000Z' })
  expect([await statusWith(token), await statusWith(first.body.token)]).toEqual([200, 200])
  t.clock.now += 61_000
  expect([await statusWith(token), await statusWith(first.body.token)]).toEqual([401, 200])

  const second = await t.post(`/tokens/${id}/rotate`, undefined, operator)
  expect([await statusWith(first.body.token), await statusWith(second.body.token)]).toEqual([401, 200])
  await t.del(`/tokens/${id}`, operator)
  expect((await t.post(`/tokens/${id}/rotate`, undefined, operator)).status).toBe(422)
})

it('GET /tokens shows those that open something, and with all the others too; the last use to ten minutes', async () => {
  const live = await seedToken(t, { scopes: ['read'] })
  const gone = await seedToken(t, { scopes: ['read'] })
  await t.del(`/tokens/${gone.id}`, operator)
  await seedToken(t, { scopes: ['read'], expires_in_seconds: 1 })
  t.clock.now += 2_000
  const idsOf = async (query: string) =>
    (await t.get(`/tokens${query}`, operator)).body.items.map((item: { id: number }) => item.id)
  expect(await idsOf('')).toEqual([live.id])
  expect(await idsOf('?all=true')).toEqual([3, 2, 1])
  expect(await idsOf('?all=true&limit=1&offset=1')).toEqual([2])

  const lastUse = async () => (await t.get(`/tokens/${live.id}`, operator)).body.last_used_at
  expect(await lastUse()).toBeUndefined()
  await statusWith(live.token)
  const first = await lastUse()
  expect(first).toBe('2026-01-01T00:00:02.000Z')
  t.clock.now += 300_000
  await statusWith(live.token)
  expect(await lastUse()).toBe(first)
  t.clock.now += 300_000
  await statusWith(live.token)
  expect(await lastUse()).toBe('2026-01-01T00:10:02.000Z')
})

it('a token in use begins no write transaction but for its last use', async () => {
  const { token } = await seedToken(t, { scopes: ['read'] })
  await statusWith(token)
  const before = t.db.writeTransactions
  for (let k = 0; k < 20; k++) {
    t.clock.now += BELIEVED_MS
    expect(await statusWith(token)).toBe(200)
  }
  expect(t.db.writeTransactions).toBe(before)
})

it('tokens are administered by administrators alone, and whatever was done is listed with who did it', async () => {
  await t.close()
  t = await accessApp()
  const reader = await seedToken(t, { scopes: ['read', 'write', 'claim'] })
  for (const headers of [as('ada'), bearer(reader.token)]) {
    expect((await t.get('/tokens', headers)).status).toBe(403)
    expect((await t.post('/tokens', { name: 'x', scopes: ['read'] }, headers)).status).toBe(403)
    expect((await t.post(`/tokens/${reader.id}/rotate`, undefined, headers)).status).toBe(403)
    expect((await t.del(`/tokens/${reader.id}`, headers)).status).toBe(403)
  }
  const admin = await seedToken(t, { scopes: ['admin'], user: 'ops' })
  await t.post(`/tokens/${reader.id}/rotate`, undefined, as('root'))
  await t.del(`/tokens/${reader.id}`, bearer(admin.token))
  await t.post('/access_groups', { name: 'crew' }, bearer(admin.token))
  await t.post('/access_groups', { name: 'crew' }, bearer(admin.token))

  const { body } = await t.get('/admin/calls', bearer(admin.token))
  const said = body.items.map((item: Record<string, unknown>) => [
    item.user_name,
    item.token_id,
    item.operation,
    item.detail,
  ])
  const one = 'token 1 {"name":"test","scopes":"read write claim"}'
  expect(said).toEqual([
    ['ops', 2, 'POST /access_groups', undefined],
    ['ops', 2, 'DELETE /tokens/1', one],
    ['root', undefined, 'POST /tokens/1/rotate', one],
    ['anonymous', undefined, 'POST /tokens', 'token 2 {"name":"test","scopes":"admin","user":"ops"}'],
    ['anonymous', undefined, 'POST /tokens', one],
  ])
  expect((await t.get('/admin/calls', as('ada'))).status).toBe(403)
  // The list of the contract is of SQL alone, and empty while that is off.
  expect((await t.get('/admin/audit-log', as('root'))).body.items).toEqual([])
})
