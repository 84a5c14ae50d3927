import fc from 'fast-check'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { BASE62, formatToken, parseToken, SECRET_LENGTH } from '../../../api/core/token-text.ts'
import { accessApp, basic, operator } from '../../helpers/access.ts'
import type { TestApp } from '../../helpers/app.ts'
import { bearer, seedToken } from '../../helpers/tokens.ts'

let t: TestApp
let token: string
let id: number
beforeAll(async () => {
  t = await accessApp({ enforce: false })
  ;({ token, id } = await seedToken(t, { scopes: ['read'] }))
})
afterAll(() => t.close())

const secrets = fc.string({ unit: fc.constantFrom(...BASE62), minLength: SECRET_LENGTH, maxLength: SECRET_LENGTH })

it('S98 no token but the right one opens anything, however near it comes', async () => {
  const { secret } = parseToken(token)!
  const near = fc.tuple(fc.nat({ max: SECRET_LENGTH - 1 }), fc.constantFrom(...BASE62)).map(([at, char]) => {
    // With the right checksum: the database itself has to say no.
    return formatToken({ id, secret: secret.slice(0, at) + char + secret.slice(at + 1) })
  })
  const guesses = fc.oneof(
    near,
    fc
      .tuple(fc.integer({ min: 1, max: 5 }), secrets)
      .map(([guessed, text]) => formatToken({ id: guessed, secret: text })),
    fc
      .tuple(fc.nat(token.length), fc.string({ unit: 'binary-ascii', maxLength: 3 }))
      .map(([at, text]) => token.slice(0, at) + text + token.slice(at)),
    fc.string({ unit: 'binary-ascii' }),
  )
  await fc.assert(
    fc.asyncProperty(guesses, fc.boolean(), async (text, asPassword) => {
      // What no header can hold.
      const guess = text.replace(/[\r\n\0]/g, '')
      // Blanks around a header's value are no part of it.
      fc.pre(guess.trim() !== token)
      const headers = asPassword ? basic('ada', guess) : { authorization: `Bearer ${guess}` }
      const { status, body } = await t.get('/workflows', headers)
      expect(status).toBe(401)
      expect(JSON.stringify(body)).not.toContain(secret.slice(0, 8))
    }),
    { numRuns: 400 },
  )
  expect((await t.get('/workflows', bearer(token))).status).toBe(200)
})

it('S98 a wrong secret takes the same steps for a token that exists, one that is remembered, and one that never was', async () => {
  const { id: unused } = await seedToken(t, { scopes: ['read'] })
  await t.get('/workflows', bearer(token))
  const secret = 'z'.repeat(SECRET_LENGTH)
  const digest = vi.spyOn(crypto.subtle, 'digest')
  const read = vi.spyOn(t.db, 'read')
  const steps: [number, number][] = []
  for (const guessed of [id, unused, 987_654]) {
    digest.mockClear()
    read.mockClear()
    expect((await t.get('/workflows', bearer(formatToken({ id: guessed, secret })))).status).toBe(401)
    steps.push([read.mock.calls.length, digest.mock.calls.length])
  }
  digest.mockRestore()
  read.mockRestore()
  expect(steps).toEqual([
    [1, 1],
    [1, 1],
    [1, 1],
  ])
})

it('S97 SQL in any text of a token is a text and nothing else', async () => {
  const sql = fc.oneof(
    fc.constantFrom(
      "'; DROP TABLE token; --",
      '" OR 1=1 --',
      "x' UNION SELECT secret_hash FROM token --",
      '%',
      '_',
      '?1',
      ':name',
      '$x',
    ),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 50 }),
  )
  await fc.assert(
    fc.asyncProperty(sql, sql, sql, async (name, user, project) => {
      const { status, body } = await t.post('/tokens', { name, user, project, scopes: ['read'] }, operator)
      if (status !== 200) {
        expect([status, body.error.field]).toEqual([422, expect.stringMatching(/^(name|user|project)$/)])
        return
      }
      const shown = await t.get(`/tokens/${body.id}`, operator)
      expect(shown.body).toMatchObject({ name, user, project, scopes: ['read'] })
      // Nothing is in a project of that name.
      expect((await t.get('/workflows', bearer(body.token))).body.items).toEqual([])
    }),
    { numRuns: 100 },
  )
  expect((await t.get('/workflows', bearer(token))).status).toBe(200)
})

it.each(["1'", '1;', '1 OR 1=1', '-1', '0x1', '1e3', '99999999999999999999', '../1', '%00'])(
  'S97 /tokens/%s is no token',
  async text => {
    const path = `/tokens/${encodeURIComponent(text)}`
    expect([400, 404]).toContain((await t.get(path, operator)).status)
    expect([400, 404]).toContain((await t.del(path, operator)).status)
  },
)

it.each([
  '/v1/%74okens',
  '/v1/%2574okens',
  '/v1//tokens',
  '/v1/tokens/',
  '/v1/./tokens',
  '/torc-service/v1/tokens',
  '/torc-service/v1/%74%6fkens',
  '/V1/tokens',
])('S97 a token that only reads makes no other by way of %s', async path => {
  const init = { method: 'POST', body: JSON.stringify({ name: 'x', scopes: ['admin'] }) }
  const headers = { ...bearer(token), 'content-type': 'application/json' }
  expect([403, 404]).toContain((await t.app.request(path, { ...init, headers })).status)
})
