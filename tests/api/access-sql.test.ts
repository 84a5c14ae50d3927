import { afterEach, expect, it } from 'vitest'
import type { AdminSql } from '../../api/access.ts'
import { createAdminSql } from '../../api/node/admin-sql.ts'
import { accessApp, as, nobody, operator } from '../helpers/access.ts'
import type { TestApp } from '../helpers/app.ts'

let t: TestApp
afterEach(() => t.close())

/** An app whose administrators may read its database file; the file is known only once the app is there. */
async function sqlApp(enforce = true): Promise<TestApp> {
  let read: AdminSql | undefined
  t = await accessApp({ enforce, trusts: () => true, adminSql: (...asked) => read!(...asked) })
  read = createAdminSql(t.dbPath)
  return t
}
const sql = (statement: string, more: object = {}, headers: Record<string, string> = as('root')) =>
  t.post('/admin/sql', { sql: statement, ...more }, headers)

it('POST /admin/sql is closed by default and where no rules are enforced, before the statement is looked at', async () => {
  t = await accessApp()
  for (const headers of [as('root'), operator, as('ada'), nobody]) {
    const { status, body } = await t.post('/admin/sql', undefined, headers)
    expect(status).toBe(403)
    expect(body.error).toMatchObject({ error: 'Forbidden', message: 'admin SQL is disabled on this server' })
  }
  await t.close()
  await sqlApp(false)
  expect((await sql('SELECT 1', {}, as('root'))).status).toBe(403)
  expect((await sql('SELECT 1', {}, nobody)).status).toBe(403)
})

it('POST /admin/sql reads for system administrators, with columns numbered and bytes in hex', async () => {
  await sqlApp()
  expect((await sql(`SELECT 1 AS a, 2 AS a, x'0aff' AS b, 9007199254740993 AS big, NULL AS n`)).body).toEqual({
    columns: ['a', 'a_2', 'b', 'big', 'n'],
    items: [{ a: 1, a_2: 2, b: '0aff', big: '9007199254740993', n: null }],
    committed: false,
  })
  expect((await sql('SELECT name FROM access_group WHERE false')).body).toEqual({
    columns: [],
    items: [],
    committed: false,
  })
  expect((await sql('VALUES (1), (2), (3)', { limit: 2 })).body.items).toHaveLength(2)
  expect((await sql('SELECT 1', {}, as('ada'))).status).toBe(403)
  expect((await sql('SELECT 1', {}, nobody)).status).toBe(403)
  for (const limit of [0, -1, 100_001]) expect((await sql('SELECT 1', { limit })).status).toBe(422)
  expect((await t.post('/admin/sql', {}, as('root'))).status).toBe(422)
})

it('POST /admin/sql writes nothing, however it is asked', async () => {
  await sqlApp()
  expect((await sql(`DELETE FROM access_group`, { write: true, allow_full_table: true })).status).toBe(403)
  const refused = await sql('DELETE FROM access_group')
  expect([refused.status, refused.body.error.error]).toEqual([422, 'InvalidStatement'])
  for (const statement of [
    `WITH x AS (SELECT 1) DELETE FROM access_group`,
    'WITH x AS (SELECT 1) DELETE FROM access_group RETURNING *',
    `WITH x AS (SELECT 'a') INSERT INTO access_group (name, created_at) SELECT *, 1 FROM x`,
    'SELECT * FROM no_such_table',
    "SELECT load_extension('x')",
  ]) {
    const { status, body } = await sql(statement)
    expect([statement, status, body.error.error]).toEqual([statement, 422, 'QueryFailed'])
  }
  expect((await sql('SELECT count(*) AS n FROM access_group')).body.items).toEqual([{ n: 1 }])
})

it('GET /admin/audit-log lists every statement, the newest first, for system administrators', async () => {
  await sqlApp()
  await sql('SELECT 1')
  await sql('DELETE FROM job')
  await sql('DELETE FROM job', { write: true })
  const { body } = await t.get('/admin/audit-log', as('root'))
  const entry = {
    id: expect.any(Number),
    user_name: 'root',
    timestamp: t.clock.now,
    allow_full_table: false,
    committed: false,
  }
  expect(body).toEqual({
    items: [
      { ...entry, sql_text: 'DELETE FROM job', is_write: true, success: false, error: expect.any(String) },
      { ...entry, sql_text: 'DELETE FROM job', is_write: false, success: false, error: expect.any(String) },
      { ...entry, sql_text: 'SELECT 1', is_write: false, success: true },
    ],
    offset: 0,
    max_limit: 100_000,
    count: 3,
    total_count: 3,
    has_more: false,
  })
  expect((await t.get('/admin/audit-log?limit=1&offset=1', as('root'))).body).toMatchObject({
    count: 1,
    has_more: true,
  })
  expect((await t.get('/admin/audit-log?limit=200000', as('root'))).status).toBe(200)
  expect((await t.get('/admin/audit-log', as('ada'))).status).toBe(403)
})

it('createAdminSql() ends a statement that does not end, while the server goes on', async () => {
  await sqlApp()
  const endless = sql('WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n')
  let answered = 0
  for (let k = 0; k < 20; k++) {
    const { status } = await t.post('/workflows', { name: 'w', user: 'u' }, as('ada'))
    if (status === 200) answered++
  }
  expect(answered).toBe(20)
  expect((await sql('SELECT 1')).status).toBe(503)
  const { status, body } = await endless
  expect(status).toBe(422)
  expect(body.error.message).toContain('longer than 5 s')
  expect((await sql('SELECT 1')).status).toBe(200)
}, 30_000)

it('createAdminSql() refuses a result that is no look but a copy', async () => {
  await sqlApp()
  const { status, body } = await sql(
    'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT hex(zeroblob(100000)) AS x FROM n',
  )
  expect([status, body.error.message]).toEqual([422, expect.stringContaining('too large')])
})
