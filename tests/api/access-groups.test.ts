import { afterEach, beforeEach, expect, it } from 'vitest'
import { syncSystemAdmins } from '../../db/access-groups.ts'
import { accessApp, actingAs, as, nobody, operator, seedGroup } from '../helpers/access.ts'
import { type Reply, type TestApp, testApp } from '../helpers/app.ts'
import { seedWorkflow } from '../helpers/seed.ts'

let t: TestApp
beforeEach(async () => {
  t = await accessApp()
})
afterEach(() => t.close())

const MOMENT = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/
const statuses = (replies: Reply[]) => replies.map(({ status }) => status)
const namesOf = ({ body }: Reply): string[] => body.items.map((item: { name: string }) => item.name)

it('POST /access_groups makes a group once: 409 for its name, and no word of what is the system’s', async () => {
  const made = await t.post('/access_groups', { name: 'crew', description: 'd' }, as('root'))
  expect([made.status, made.body]).toEqual([
    200,
    { id: expect.any(Number), name: 'crew', description: 'd', created_at: expect.stringMatching(MOMENT) },
  ])
  expect((await t.get(`/access_groups/${made.body.id}`, as('root'))).body).toEqual(made.body)
  expect((await t.post('/access_groups', { name: 'crew' }, as('root'))).status).toBe(409)
  expect((await t.post('/access_groups', { name: '' }, as('root'))).status).toBe(422)
  expect((await t.post('/access_groups', {}, as('root'))).status).toBe(422)
})

it('groups are made, seen, listed and deleted by system administrators only', async () => {
  const id = await seedGroup(t, 'crew', { ada: 'admin' })
  for (const headers of [as('ada'), as('ben'), nobody]) {
    expect(
      statuses([
        await t.post('/access_groups', { name: 'x' }, headers),
        await t.get('/access_groups', headers),
        await t.get(`/access_groups/${id}`, headers),
        await t.get(`/access_groups/${id}/members`, headers),
        await t.del(`/access_groups/${id}`, headers),
        await t.get('/access_groups/999', headers),
      ]),
    ).toEqual([403, 403, 403, 403, 403, 404])
  }
  for (const headers of [as('root'), operator]) {
    expect(statuses([await t.get('/access_groups', headers), await t.get(`/access_groups/${id}`, headers)])).toEqual([
      200, 200,
    ])
  }
})

it('GET /access_groups sorts by name and has the form of group lists', async () => {
  for (const name of ['b', 'c', 'a']) await seedGroup(t, name)
  const { body } = await t.get('/access_groups?offset=1&limit=2', as('root'))
  expect(body).toEqual({
    items: [expect.objectContaining({ name: 'admin' }), expect.objectContaining({ name: 'b' })],
    offset: 1,
    limit: 2,
    total_count: 4,
    has_more: true,
  })
  expect((await t.get('/access_groups', as('root'))).body).toMatchObject({ limit: 100_000, has_more: false })
  expect((await t.get('/access_groups?limit=-1', as('root'))).status).toBe(422)
  expect((await t.get('/access_groups?limit=100001', as('root'))).status).toBe(422)
  expect((await t.get('/access_groups?limit=0', as('root'))).body).toMatchObject({ items: [], total_count: 4 })
})

it('members are added and removed by administrators of the group and of the system', async () => {
  const id = await seedGroup(t, 'crew', { ada: 'admin', ben: 'member' })
  const add = (user_name: string) => ({ user_name, role: 'member', group_id: 1234 })
  expect((await t.post(`/access_groups/${id}/members`, add('cy'), as('ben'))).status).toBe(403)
  expect((await t.post(`/access_groups/${id}/members`, add('cy'), nobody)).status).toBe(403)
  const added = await t.post(`/access_groups/${id}/members`, add('cy'), as('ada'))
  expect([added.status, added.body]).toEqual([
    200,
    {
      id: expect.any(Number),
      group_id: id,
      user_name: 'cy',
      role: 'member',
      created_at: expect.stringMatching(MOMENT),
    },
  ])
  expect((await t.post(`/access_groups/${id}/members`, add('cy'), as('root'))).status).toBe(409)
  expect((await t.post('/access_groups/999/members', add('cy'), as('root'))).status).toBe(404)
  expect((await t.post(`/access_groups/${id}/members`, { user_name: 'dot', role: 'king' }, as('ada'))).status).toBe(422)
  expect((await t.post(`/access_groups/${id}/members`, { user_name: 'dot' }, as('ada'))).status).toBe(422)

  const { body } = await t.get(`/access_groups/${id}/members`, as('root'))
  expect(body.items.map((member: { user_name: string }) => member.user_name)).toEqual(['ada', 'ben', 'cy'])
  expect((await t.del(`/access_groups/${id}/members/ada`, as('ben'))).status).toBe(403)
  expect((await t.del(`/access_groups/${id}/members/cy`, as('ada'))).body).toEqual(added.body)
  expect((await t.del(`/access_groups/${id}/members/cy`, as('ada'))).status).toBe(404)
})

it('the system group can be neither deleted nor changed, rules enforced or not', async () => {
  const open = await testApp()
  await open.db.write(() => syncSystemAdmins(['root'], 0))
  for (const [app, headers] of [
    [t, as('root')],
    [t, operator],
    [open, nobody],
  ] as const) {
    const { body } = await app.get('/access_groups', headers)
    const { id } = body.items.find((group: { name: string }) => group.name === 'admin')
    expect(
      statuses([
        await app.del(`/access_groups/${id}`, headers),
        await app.post(`/access_groups/${id}/members`, { user_name: 'ada', role: 'admin' }, headers),
        await app.del(`/access_groups/${id}/members/root`, headers),
      ]),
    ).toEqual([403, 403, 403])
  }
  await open.close()
})

it('syncSystemAdmins() gives the group exactly the named members, and takes over a group of its name', async () => {
  const open = await testApp()
  const made = await open.post('/access_groups', { name: 'admin' })
  await open.post(`/access_groups/${made.body.id}/members`, { user_name: 'mallory', role: 'admin' })
  await open.db.write(() => syncSystemAdmins(['ada', 'ben'], 0))
  await open.db.write(() => syncSystemAdmins(['ben', 'cy'], 0))
  const { body } = await open.get(`/access_groups/${made.body.id}/members`)
  expect(body.items.map((member: { user_name: string }) => member.user_name)).toEqual(['ben', 'cy'])
  expect((await open.del(`/access_groups/${made.body.id}`)).status).toBe(403)
  await open.close()
})

it('DELETE /access_groups takes memberships and links with it', async () => {
  const ada = actingAs(t, as('ada'))
  const workflow = await seedWorkflow(ada)
  const id = await seedGroup(t, 'crew', { ben: 'member' })
  await t.post(`/workflows/${workflow}/access_groups/${id}`, undefined, as('root'))
  expect((await t.get(`/workflows/${workflow}`, as('ben'))).body.access_groups).toEqual(['crew'])
  expect((await t.del(`/access_groups/${id}`, as('root'))).body.name).toBe('crew')
  expect((await t.get(`/workflows/${workflow}`, as('ben'))).status).toBe(403)
  expect((await ada.get(`/workflows/${workflow}`)).body.access_groups).toBeUndefined()
  expect((await t.get('/users/ben/groups', as('ben'))).body.items).toEqual([])
})

it('a workflow is linked by its owner, and by administrators of the group who have access to it', async () => {
  const own = await seedWorkflow(actingAs(t, as('ada')))
  const group = await seedGroup(t, 'crew', { ben: 'admin', cy: 'member' })
  const path = `/workflows/${own}/access_groups/${group}`
  // Who only administers the group would otherwise share, and so read, any workflow.
  expect((await t.post(path, undefined, as('ben'))).status).toBe(403)
  expect((await t.post(path, undefined, nobody)).status).toBe(403)
  const linked = await t.post(path, undefined, as('ada'))
  expect([linked.status, linked.body]).toEqual([
    200,
    { workflow_id: own, group_id: group, created_at: expect.stringMatching(MOMENT) },
  ])
  expect((await t.post(path, undefined, as('ada'))).status).toBe(409)
  expect(namesOf(await t.get(`/workflows/${own}/access_groups`, as('cy')))).toEqual(['crew'])

  const second = await seedGroup(t, 'second', { ben: 'admin' })
  expect((await t.post(`/workflows/${own}/access_groups/${second}`, undefined, as('cy'))).status).toBe(403)
  expect((await t.post(`/workflows/${own}/access_groups/${second}`, undefined, as('ben'))).status).toBe(200)
  expect((await t.get(`/workflows/${own}`, as('ada'))).body.access_groups).toEqual(['crew', 'second'])

  expect((await t.del(path, as('cy'))).status).toBe(403)
  expect((await t.del(path, as('ben'))).body).toEqual(linked.body)
  expect((await t.del(path, as('ada'))).status).toBe(404)
  expect((await t.get(`/workflows/${own}`, as('cy'))).status).toBe(403)
})

it('linking answers 404 for a workflow or a group that is missing', async () => {
  const workflow = await seedWorkflow(actingAs(t, as('ada')))
  const group = await seedGroup(t, 'crew')
  expect(
    statuses([
      await t.post(`/workflows/999/access_groups/${group}`, undefined, as('ada')),
      await t.post(`/workflows/${workflow}/access_groups/999`, undefined, as('ada')),
      await t.del(`/workflows/${workflow}/access_groups/999`, as('ada')),
      await t.get('/workflows/999/access_groups', as('ada')),
    ]),
  ).toEqual([404, 404, 404, 404])
})

it('GET /users/{user}/groups is for that user and administrators', async () => {
  await seedGroup(t, 'b', { ada: 'member' })
  await seedGroup(t, 'a', { ada: 'admin' })
  expect(namesOf(await t.get('/users/ada/groups', as('ada')))).toEqual(['a', 'b'])
  expect(namesOf(await t.get('/users/ada/groups', as('root')))).toEqual(['a', 'b'])
  expect((await t.get('/users/ada/groups', as('ben'))).status).toBe(403)
  expect((await t.get('/users/ada/groups', nobody)).status).toBe(403)
  expect((await t.get('/users/nobody-knows/groups', as('root'))).body).toMatchObject({ items: [], total_count: 0 })
})

it('GET /access_check counts owner and linked groups, an administrator’s rights not', async () => {
  const workflow = await seedWorkflow(actingAs(t, as('ada')))
  const group = await seedGroup(t, 'crew', { ben: 'member' })
  await t.post(`/workflows/${workflow}/access_groups/${group}`, undefined, as('ada'))
  const check = (user: string, headers: Record<string, string>) => t.get(`/access_check/${workflow}/${user}`, headers)
  expect((await check('ada', as('ada'))).body).toEqual({ has_access: true, user_name: 'ada', workflow_id: workflow })
  expect((await check('ben', as('root'))).body.has_access).toBe(true)
  expect((await check('cy', as('cy'))).body.has_access).toBe(false)
  expect((await check('root', as('root'))).body.has_access).toBe(false)
  expect((await t.get('/access_check/999/ada', as('ada'))).body).toMatchObject({ has_access: false, workflow_id: 999 })
  expect((await check('ada', as('ben'))).status).toBe(403)
  expect((await check('ada', nobody)).status).toBe(403)
})

it('POST /workflows links the groups it names: all of them, or there is no workflow', async () => {
  await seedGroup(t, 'b', { ada: 'member' })
  await seedGroup(t, 'a', { ada: 'member' })
  await seedGroup(t, 'foreign')
  const make = (access_groups: string[], headers: Record<string, string>) =>
    t.post('/workflows', { name: 'w', user: 'u', access_groups }, headers)
  const made = await make(['b', 'a'], as('ada'))
  expect(made.body.access_groups).toEqual(['a', 'b'])
  for (const path of [`/workflows/${made.body.id}`, '/workflows']) {
    const { body } = await t.get(path, as('ada'))
    expect((body.items?.[0] ?? body).access_groups).toEqual(['a', 'b'])
  }
  expect(
    (await t.post(`/workflows/${made.body.id}/archive`, { is_archived: true }, as('ada'))).body.access_groups,
  ).toEqual(['a', 'b'])
  // Not even which names exist is told to those who are not in the groups.
  expect((await make(['foreign'], as('ada'))).status).toBe(403)
  expect((await make(['unheard'], as('ada'))).status).toBe(403)
  expect((await make(['a', 'a'], as('ada'))).status).toBe(422)
  expect((await make(['unheard'], as('root'))).status).toBe(422)
  expect((await make(['foreign'], as('root'))).body.access_groups).toEqual(['foreign'])
  expect((await t.get('/workflows', as('root'))).body.total_count).toBe(2)
})

it('PUT /workflows takes the same set of groups, and refuses another one', async () => {
  await seedGroup(t, 'a', { ada: 'member' })
  await seedGroup(t, 'b', { ada: 'member' })
  const { body } = await t.post('/workflows', { name: 'w', user: 'u', access_groups: ['a', 'b'] }, as('ada'))
  const put = (access_groups: string[] | null) =>
    t.put(`/workflows/${body.id}`, { name: 'w', user: 'ada', access_groups }, as('ada'))
  expect(statuses([await put(['b', 'a']), await put(null), await put(['a']), await put([])])).toEqual([
    200, 200, 422, 422,
  ])
})

it('POST /workflows/from_spec shares with the groups of the file, and makes nothing when one is unknown', async () => {
  await seedGroup(t, 'crew', { ada: 'member', ben: 'member' })
  const spec = (access_groups: string[]) => ({ name: 's', access_groups, jobs: [{ name: 'a', command: 'true' }] })
  const made = await t.post('/workflows/from_spec?file_name=s.json', spec(['crew']), as('ada'))
  expect((await t.get(`/workflows/${made.body.workflow_id}`, as('ben'))).body.access_groups).toEqual(['crew'])
  expect((await t.post('/workflows/from_spec?file_name=s.json', spec(['nix']), as('root'))).status).toBe(422)
  expect((await t.get('/workflows', as('root'))).body.total_count).toBe(1)
})
