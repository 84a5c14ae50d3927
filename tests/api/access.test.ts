import { expect, it } from 'vitest'
import { testApp } from '../helpers/app.ts'

const basic = (user: string, password: string) => ({ authorization: `Basic ${btoa(`${user}:${password}`)}` })

it('admit() takes the token as Bearer and as Basic password, and nothing else', async () => {
  const t = await testApp({ access: { token: 'secret' } })
  for (const headers of [
    { authorization: 'Bearer secret' },
    { authorization: 'bearer secret' },
    basic('anna', 'secret'),
    basic('', 'secret'),
  ]) {
    expect((await t.get('/ping', headers)).status).toBe(200)
  }
  for (const headers of [
    {},
    { authorization: 'Bearer secre' },
    { authorization: 'Bearer secret2' },
    { authorization: 'Bearer ' },
    { authorization: 'secret' },
    { authorization: 'Basic !!!' },
    basic('secret', ''),
    basic('anna', 'wrong'),
  ]) {
    const { status, body, headers: replied } = await t.get('/workflows', headers as Record<string, string>)
    expect(status).toBe(401)
    expect(body.error).toMatchObject({ code: 'unauthorized', message: expect.stringContaining('Unauthorized') })
    expect(replied.get('www-authenticate')).toBe('Basic realm="Torc"')
    expect(replied.get('x-span-id')).toBeTruthy()
  }
  await t.close()
})

it('admit() lets whom the runtime trusts do without, but not with a wrong Bearer token', async () => {
  const t = await testApp({ access: { token: 'secret', trusts: c => c.req.header('x-test-own') === 'yes' } })
  expect((await t.get('/ping', { 'x-test-own': 'yes' })).status).toBe(200)
  expect((await t.get('/ping', { 'x-test-own': 'yes', ...basic('a', 'other') })).status).toBe(200)
  expect((await t.get('/ping', { 'x-test-own': 'yes', authorization: 'Bearer other' })).status).toBe(401)
  expect((await t.get('/ping')).status).toBe(401)
  await t.close()
})

it('admit() names the user of right Basic credentials in what is recorded', async () => {
  const t = await testApp({ access: { token: 'secret' } })
  const { body } = await t.post('/workflows', { name: 'w', user: 'u' }, basic('anna', 'secret'))
  await t.post(`/workflows/${body.id}/archive`, { is_archived: true }, basic('anna', 'secret'))
  const event = await t.db.read(function* () {
    const [rows] = yield [{ sql: 'SELECT data FROM event', args: [] }]
    return JSON.parse(rows![0].data)
  })
  expect(event.user).toBe('anna')
  await t.close()
})
