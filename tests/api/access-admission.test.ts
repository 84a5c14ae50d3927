import { afterEach, expect, it } from 'vitest'
import type { AccessOptions } from '../../api/access.ts'
import { accessApp, as, basic, nobody, operator, TOKEN } from '../helpers/access.ts'
import type { TestApp } from '../helpers/app.ts'

let t: TestApp | undefined
afterEach(() => t?.close())

const wrong = basic('ada', 'wrong')
const unknown = basic('nobody-knows', 'x')
const empty = basic('ada', '')
const own = { 'x-test-own': 'yes' }
const trusts: AccessOptions['trusts'] = c => c.req.header('x-test-own') === 'yes'

async function statusesOf(access: Partial<AccessOptions>, senders: Record<string, string>[]): Promise<number[]> {
  const app = await accessApp(access)
  t = app
  return Promise.all(senders.map(async headers => (await app.get('/ping', headers)).status))
}

it('admit() without a password file takes any credentials for nobody’s, where the machine vouches for the caller', async () => {
  const open = { passwords: undefined, enforce: false, trusts }
  expect(await statusesOf(open, [own, { ...own, ...wrong }, { ...own, ...as('ada') }])).toEqual([200, 200, 200])
  expect(await statusesOf(open, [nobody, wrong, as('ada'), operator])).toEqual([401, 401, 401, 200])
})

it('admit() with a password file lets the right ones in, the unknown where the machine vouches, and never the wrong', async () => {
  const some = { enforce: false, trusts }
  const vouched = [own, { ...own, ...as('ada') }, { ...own, ...wrong }, { ...own, ...unknown }, { ...own, ...empty }]
  expect(await statusesOf(some, vouched)).toEqual([200, 200, 401, 401, 401])
  expect(await statusesOf(some, [nobody, as('ada'), wrong])).toEqual([401, 200, 401])
})

it('admit() with requireAuth lets nobody in who is not known', async () => {
  const all = [own, { ...own, ...wrong }, { ...own, ...as('ada') }, nobody, unknown, operator]
  expect(await statusesOf({ requireAuth: true, trusts }, all)).toEqual([401, 401, 200, 401, 401, 200])
})

it('admit() where rules are enforced lets the unknown in, who may nothing', async () => {
  const app = await accessApp()
  t = app
  expect((await app.get('/ping', nobody)).status).toBe(200)
  expect((await app.get('/workflows', nobody)).body.items).toEqual([])
  expect((await app.post('/workflows', { name: 'w', user: 'ada' }, nobody)).status).toBe(403)
  expect((await app.get('/ping', wrong)).status).toBe(401)
})

it('admit() refuses another Bearer token, counts other schemes as no credentials, and minds no case', async () => {
  const app = await accessApp()
  t = app
  const status = async (authorization: string) => (await app.get('/ping', { authorization })).status
  expect(await status('Bearer not-the-token-at-all')).toBe(401)
  expect(await status(`bearer ${TOKEN}`)).toBe(200)
  expect(await status('Digest username="ada"')).toBe(200)
  expect(await status(as('ada').authorization.replace('Basic', 'bAsIc'))).toBe(200)
})

it('admit() refuses what a page of another site sends with credentials of its reader', async () => {
  const app = await accessApp()
  t = app
  const from = (site: string) => ({ ...as('ada'), 'sec-fetch-site': site })
  expect((await app.post('/workflows', { name: 'w', user: 'u' }, from('cross-site'))).status).toBe(403)
  for (const site of ['same-origin', 'same-site', 'none'])
    expect((await app.post('/workflows', { name: 'w', user: 'u' }, from(site))).status).toBe(200)
})

it('the operator stands above the rules, with the token as password under any name', async () => {
  const app = await accessApp()
  t = app
  const made = await app.post('/workflows', { name: 'w', user: 'ben' }, basic('ada', TOKEN))
  expect(made.body.user).toBe('ben')
  expect((await app.get(`/workflows/${made.body.id}`, operator)).status).toBe(200)
})

it('S98 refusals to let in look alike, whoever asked, and show nothing of what was sent', async () => {
  const app = await accessApp({ requireAuth: true })
  t = app
  const replies = await Promise.all(
    [nobody, wrong, unknown, empty, { authorization: 'Bearer secret-that-is-wrong' }].map(headers =>
      app.get('/workflows', headers),
    ),
  )
  for (const { status, body, headers } of replies) {
    expect(status).toBe(401)
    expect(body).toEqual(replies[0]!.body)
    expect(headers.get('www-authenticate')).toBe('Basic realm="Torc"')
    expect(headers.get('x-span-id')).toBeTruthy()
    expect(JSON.stringify(body)).not.toMatch(/secret-that|wrong/)
  }
})
