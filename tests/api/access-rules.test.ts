import { afterAll, beforeAll, expect, it } from 'vitest'
import { findAccess } from '../../db/access-control.ts'
import { accessApp, actingAs, as, basic, nobody, operator, seedGroup } from '../helpers/access.ts'
import type { Reply, TestApp } from '../helpers/app.ts'
import { resultOf, seedJob, seedNode, seedWorkflow } from '../helpers/seed.ts'

let t: TestApp
beforeAll(async () => {
  t = await accessApp()
})
afterAll(() => t.close())

const idsOf = ({ body }: Reply): number[] => body.items.map((item: { id: number }) => item.id)

it('POST /workflows makes the caller the owner whatever the body says, and refuses the unknown', async () => {
  const made = await t.post('/workflows', { name: 'w', user: 'ben' }, as('ada'))
  expect([made.status, made.body.user]).toEqual([200, 'ada'])
  expect((await t.post('/workflows', { name: 'w', user: 'ben' }, nobody)).status).toBe(403)
  expect((await t.post('/workflows', { name: 'w', user: 'ben' }, operator)).body.user).toBe('ben')
})

it('POST /workflows/from_spec and /from_expansion make the caller the owner too', async () => {
  const spec = { name: 's', user: 'ben', jobs: [{ name: 'a', command: 'true' }] }
  const fromSpec = await t.post('/workflows/from_spec?file_name=s.json', spec, as('ada'))
  expect((await t.get(`/workflows/${fromSpec.body.workflow_id}`, as('ada'))).body.user).toBe('ada')
  expect((await t.post('/workflows/from_spec?file_name=s.json', spec, nobody)).status).toBe(403)
  expect((await t.post('/workflows/from_expansion', { workflow: {}, user: 'ben' }, nobody)).status).toBe(403)
  expect((await t.post('/workflows/import', {}, nobody)).status).toBe(403)
})

it('GET /workflows shows what the caller may use, with ?user= too', async () => {
  const own = await accessApp()
  const mine = await seedWorkflow(actingAs(own, as('ada')))
  const shared = await seedWorkflow(actingAs(own, as('ben')))
  const hidden = await seedWorkflow(actingAs(own, as('ben')))
  const group = await seedGroup(own, 'crew', { ada: 'member' })
  await own.post(`/workflows/${shared}/access_groups/${group}`, undefined, as('root'))

  expect(idsOf(await own.get('/workflows', as('ada')))).toEqual([mine, shared])
  expect(idsOf(await own.get('/workflows?user=ben', as('ada')))).toEqual([shared])
  expect((await own.get('/workflows?limit=1', as('ada'))).body).toMatchObject({ total_count: 2, has_more: true })
  expect(idsOf(await own.get('/workflows?after_id=0&count=true', as('ada')))).toEqual([mine, shared])
  expect(idsOf(await own.get('/workflows', as('root')))).toEqual([mine, shared, hidden])
  expect(idsOf(await own.get('/workflows', operator))).toEqual([mine, shared, hidden])
  expect(idsOf(await own.get('/workflows', nobody))).toEqual([])

  expect(idsOf(await own.get('/workflows?access_group=crew', as('ben')))).toEqual([shared])
  expect(idsOf(await own.get('/workflows?access_group=crew', as('cy')))).toEqual([])
  expect(idsOf(await own.get('/workflows?access_group=nix', as('root')))).toEqual([])
  await own.close()
})

it('GET /workflow_sources finds no workflow of another user', async () => {
  const id = await seedWorkflow(actingAs(t, as('ben')))
  await t.db.write(function* () {
    yield [{ sql: `UPDATE workflow SET source_path = '/w.yaml', source_hash = 'h' WHERE id = ?`, args: [id] }]
  })
  const path = '/workflow_sources?path=/w.yaml'
  expect((await t.get(path, as('ben'))).body.items).toEqual([{ workflow_id: id, source_hash: 'h' }])
  expect((await t.get(path, as('root'))).body.count).toBe(1)
  expect((await t.get(path, as('ada'))).body.items).toEqual([])
  expect((await t.get(path, nobody)).body.items).toEqual([])
})

it('PUT /workflows gives a workflow away for its owner and for administrators only', async () => {
  const id = await seedWorkflow(actingAs(t, as('ada')))
  const group = await seedGroup(t, 'givers', { ben: 'admin' })
  await t.post(`/workflows/${id}/access_groups/${group}`, undefined, as('root'))
  const give = (user: string) => ({ name: 'w', user })
  expect((await t.put(`/workflows/${id}`, give('ben'), as('ben'))).status).toBe(403)
  expect((await t.put(`/workflows/${id}`, { name: 'renamed', user: 'ada' }, as('ben'))).status).toBe(200)
  expect((await t.put(`/workflows/${id}`, give('cy'), as('ada'))).body.user).toBe('cy')
  expect((await t.put(`/workflows/${id}`, give('ada'), as('root'))).body.user).toBe('ada')
})

it('what stays under the name anonymous is nobody’s once rules are enforced', async () => {
  const open = await accessApp({ enforce: false, trusts: () => true })
  const id = await seedWorkflow(open, { user: 'anonymous' })
  const subject = { name: null }
  expect(await open.db.read(() => findAccess('workflow', id, subject))).toBe(false)
  await open.close()
})

it('S98 POST /results, /slurm_stats and links of user data name no other project in their refusals', async () => {
  const ada = actingAs(t, as('ada'))
  const ben = actingAs(t, as('ben'))
  const foreign = await seedWorkflow(ada)
  const foreignJob = await seedJob(ada, foreign)
  const foreignNode = await seedNode(ada, foreign)
  const own = await seedWorkflow(ben)
  const ownJob = await seedJob(ben, own)
  const node = await seedNode(ben, own)
  const statistics = { workflow_id: own, job_id: foreignJob, run_id: 0, attempt_id: 1 }
  const refusals = [
    await ben.post('/results', resultOf(own, foreignJob, node)),
    await ben.post('/results', resultOf(own, ownJob, foreignNode)),
    await ben.post('/slurm_stats', statistics),
    await ben.post(`/user_data?consumer_job_id=${foreignJob}`, { workflow_id: own, name: 'd' }),
    await ben.post('/jobs', { workflow_id: own, name: 'x', command: 'true', depends_on_job_ids: [foreignJob] }),
    await ben.put(`/jobs/${ownJob}/start_job/0/${foreignNode}`),
  ]
  expect(refusals.map(({ status }) => status)).toEqual([422, 422, 422, 422, 422, 422])
  for (const { body } of refusals) expect(body.error.message).not.toMatch(new RegExp(`workflow ${foreign}\\b`))
  // The foreign job has nothing of all this.
  expect((await ada.get(`/results?workflow_id=${foreign}`)).body.total_count).toBe(0)
  expect((await ada.get(`/slurm_stats?workflow_id=${foreign}`)).body.total_count).toBe(0)
})

it('S54 batch_complete_jobs refuses an entry for a job of another project, and leaves that job as it is', async () => {
  const ada = actingAs(t, as('ada'))
  const ben = actingAs(t, as('ben'))
  const foreign = await seedWorkflow(ada)
  const foreignJob = await seedJob(ada, foreign)
  const own = await seedWorkflow(ben)
  const node = await seedNode(ben, own)
  const entry = { job_id: foreignJob, status: 'completed', run_id: 0, result: resultOf(own, foreignJob, node) }
  const reply = await ben.post(`/workflows/${own}/batch_complete_jobs`, { completions: [entry], verdicts: true })
  expect(reply.body.verdicts).toEqual([{ index: 0, job_id: foreignJob, code: 'wrong_workflow' }])
  expect(reply.body.completed).toEqual([])
  expect((await ada.get(`/jobs/${foreignJob}`)).body.status).toBe('uninitialized')
})

it('Idempotency-Key of one user says nothing to another', async () => {
  const key = { 'idempotency-key': 'k-1' }
  const body = { name: 'w', user: 'u' }
  const first = await t.post('/workflows', body, { ...as('ada'), ...key })
  const again = await t.post('/workflows', body, { ...as('ada'), ...key })
  const other = await t.post('/workflows', body, { ...as('ben'), ...key })
  expect(again.body.id).toBe(first.body.id)
  expect(other.body.id).not.toBe(first.body.id)
  expect(other.body.user).toBe('ben')
})

it('GET /ping and /version are for everybody, and git_hash is absent where rules are enforced', async () => {
  expect((await t.get('/ping', nobody)).body).toEqual({ status: 'ok' })
  const { body } = await t.get('/version', nobody)
  expect(body.git_hash).toBeUndefined()
  expect(body.api_version).toBe('0.23.0')
  const open = await accessApp({ enforce: false })
  expect((await open.get('/version', as('ada'))).body.git_hash).toEqual(expect.any(String))
  await open.close()
})

it('POST /admin/reload-auth is for system administrators and tells the number of users', async () => {
  expect((await t.post('/admin/reload-auth', undefined, as('root'))).body).toEqual({
    message: expect.stringContaining('5 users'),
    user_count: 5,
  })
  expect((await t.post('/admin/reload-auth', undefined, as('ada'))).status).toBe(403)
  expect((await t.post('/admin/reload-auth', undefined, nobody)).status).toBe(403)
})

it('POST /admin/reload-auth without a password file is 422', async () => {
  const open = await accessApp({ passwords: undefined, enforce: false, trusts: () => true })
  expect((await open.post('/admin/reload-auth')).status).toBe(422)
  await open.close()
})

it('where rules are not enforced everybody may do everything, and a user name in a body stays', async () => {
  const open = await accessApp({ enforce: false, trusts: () => true })
  const made = await open.post('/workflows', { name: 'w', user: 'ben' }, as('ada'))
  expect(made.body.user).toBe('ben')
  expect((await open.get(`/workflows/${made.body.id}`, as('cy'))).status).toBe(200)
  expect((await open.get(`/workflows/${made.body.id}`, nobody)).status).toBe(200)
  expect((await open.post('/access_groups', { name: 'g' }, nobody)).status).toBe(200)
  expect((await open.get('/users/ada/groups', nobody)).status).toBe(200)
  await open.close()
})

it('events of a user’s action carry the user’s name', async () => {
  const ada = actingAs(t, as('ada'))
  const id = await seedWorkflow(ada)
  await ada.post(`/workflows/${id}/archive`, { is_archived: true })
  const { body } = await ada.get(`/events?workflow_id=${id}&category=user_action`)
  expect(body.items[0].data.user).toBe('ada')
})

it('a user named anonymous of the password file is nobody', async () => {
  const odd = await accessApp({ passwords: { check: async () => true, reload: async () => 1 } })
  expect((await odd.get('/workflows', basic('anonymous', 'x'))).status).toBe(401)
  await odd.close()
})

it('an open event stream ends once its reader has lost the right to it', async () => {
  const id = await seedWorkflow(actingAs(t, as('ada')))
  const group = await seedGroup(t, 'readers', { cy: 'member' })
  await t.post(`/workflows/${id}/access_groups/${group}`, undefined, as('root'))
  const response = await t.app.request(`/v1/workflows/${id}/events/stream`, { headers: as('cy') })
  const reader = response.body!.getReader()
  expect((await reader.read()).done).toBe(false)
  await seedNode(actingAs(t, as('ada')), id)
  expect(new TextDecoder().decode((await reader.read()).value)).toContain('compute_node_started')
  await t.del(`/access_groups/${group}/members/cy`, as('root'))
  await seedNode(actingAs(t, as('ada')), id)
  expect(await reader.read()).toEqual({ done: true, value: undefined })
})
