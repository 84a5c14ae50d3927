import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { accessApp, actingAs, as, operator } from '../../helpers/access.ts'
import type { TestApp } from '../../helpers/app.ts'
import { seedJob, seedNode, seedWorkflow } from '../../helpers/seed.ts'
import { bearer, seedToken } from '../../helpers/tokens.ts'

let t: TestApp
let alpha: number
let beta: number
beforeEach(() => open(false))
afterEach(() => t.close())

/** Two workflows of two projects, both of ada. */
async function open(enforce: boolean): Promise<void> {
  t = await accessApp({ enforce })
  const ada = actingAs(t, as('ada'))
  alpha = await seedWorkflow(ada, { name: 'alpha', project: 'alpha' })
  beta = await seedWorkflow(ada, { name: 'beta', project: 'beta' })
}

async function tokenFor(wanted: Parameters<typeof seedToken>[1]): Promise<TestApp> {
  return actingAs(t, bearer((await seedToken(t, wanted)).token))
}
const namesOf = async (caller: TestApp) =>
  (await caller.get('/workflows')).body.items.map((item: { name: string }) => item.name)

describe.each([
  ['a workflow', () => ({ workflow_id: alpha })],
  ['a project', () => ({ project: 'alpha' })],
])('S98 a token of %s', (_, fence) => {
  it.each([
    ['rules are off', false, undefined],
    ['rules hold and it has a user', true, 'ada'],
    ['rules hold and it has none', true, undefined],
  ])('opens that and nothing else where %s', async (_, enforce, user) => {
    await t.close()
    await open(enforce)
    const token = await tokenFor({ scopes: ['read', 'write', 'claim'], user, ...fence() })
    const job = await seedJob(actingAs(t, operator), beta)
    expect(await namesOf(token)).toEqual(['alpha'])
    expect((await token.get(`/workflows/${alpha}`)).status).toBe(200)
    expect((await token.get(`/jobs?workflow_id=${alpha}`)).status).toBe(200)
    await seedNode(token, alpha)
    const refused = [
      token.get(`/workflows/${beta}`),
      token.get(`/jobs?workflow_id=${beta}`),
      token.get(`/jobs/${job}`),
      token.get(`/workflows/${beta}/events/stream`),
      token.post('/jobs', { workflow_id: beta, name: 'x', command: 'true' }),
      token.post(`/workflows/${beta}/claim_next_jobs`),
      token.post(`/workflows/${beta}/batch_complete_jobs`, { completions: [] }),
      token.post(`/workflows/${beta}/tokens`),
      token.del(`/workflows/${beta}`),
      token.get('/metrics'),
    ]
    const statuses = (await Promise.all(refused)).map(reply => reply.status)
    // There is no /metrics below the base.
    expect(statuses).toEqual([...Array(9).fill(403), 404])
    expect(
      (
        await t.app.request('/metrics', {
          headers: bearer((await seedToken(t, { scopes: ['read'], ...fence() })).token),
        })
      ).status,
    ).toBe(403)
    expect((await token.get('/workflows/999')).status).toBe(404)
  })
})

it('a token of a user opens what that user may use, where rules hold', async () => {
  await t.close()
  await open(true)
  expect(await namesOf(await tokenFor({ scopes: ['read'], user: 'ada' }))).toEqual(['alpha', 'beta'])
  expect(await namesOf(await tokenFor({ scopes: ['read'], user: 'ben' }))).toEqual([])
  expect(await namesOf(await tokenFor({ scopes: ['read'], user: 'root' }))).toEqual(['alpha', 'beta'])
  expect(await namesOf(await tokenFor({ scopes: ['read'], user: 'root', project: 'beta' }))).toEqual(['beta'])
  expect(await namesOf(await tokenFor({ scopes: ['read'], user: 'ben', project: 'beta' }))).toEqual([])
})

it('a token of a project puts new workflows into it, and never moves one into another', async () => {
  const token = await tokenFor({ scopes: ['write'], project: 'alpha' })
  const made = await token.post('/workflows', { name: 'n', user: 'ada' })
  expect(made.body).toMatchObject({ project: 'alpha' })
  expect((await token.post('/workflows', { name: 'n', user: 'ada', project: 'beta' })).status).toBe(403)
  const spec = { name: 's', jobs: [{ name: 'j', command: 'true' }] }
  const { body } = await token.post('/workflows/from_spec', spec)
  expect((await token.get(`/workflows/${body.workflow_id}`)).body.project).toBe('alpha')
  expect((await token.post('/workflows/from_spec', { ...spec, project: 'beta' })).status).toBe(403)
  expect((await token.put(`/workflows/${alpha}`, { project: 'beta' })).status).toBe(403)
  expect((await token.put(`/workflows/${alpha}`, { description: 'x' })).body).toMatchObject({ project: 'alpha' })
  expect(await namesOf(token)).toEqual(['alpha', 'n', 's'])
})

it('a token of one workflow makes no other', async () => {
  const token = await tokenFor({ scopes: ['write'], workflow_id: alpha })
  expect((await token.post('/workflows', { name: 'n', user: 'ada' })).status).toBe(403)
  expect((await token.post('/workflows/from_spec', { name: 's', jobs: [] })).status).toBe(403)
})

it('S98 a token without the scope of an operation ends with 403 that names it', async () => {
  const reader = await tokenFor({ scopes: ['read'] })
  const claimer = await tokenFor({ scopes: ['claim'] })
  const writer = await tokenFor({ scopes: ['write'] })
  const statuses = async (caller: TestApp) => [
    (await caller.get(`/workflows/${alpha}`)).status,
    (await caller.post('/jobs', { workflow_id: alpha, name: 'x', command: 'true' })).status,
    (await caller.post(`/workflows/${alpha}/claim_next_jobs`)).status,
    (await caller.get('/tokens')).status,
  ]
  expect(await statuses(reader)).toEqual([200, 403, 403, 403])
  expect(await statuses(writer)).toEqual([200, 200, 403, 403])
  expect(await statuses(claimer)).toEqual([200, 403, 200, 403])
  expect(await statuses(await tokenFor({ scopes: ['admin'] }))).toEqual([200, 200, 200, 200])
  const { body } = await reader.post(`/workflows/${alpha}/claim_next_jobs`)
  expect(body.error).toMatchObject({
    code: 'forbidden',
    message: expect.stringContaining('claim or admin: it has read'),
  })
})

it('a token of a project claims over many workflows what is in its project, and nothing else', async () => {
  for (const workflow of [alpha, beta]) {
    await seedJob(actingAs(t, operator), workflow)
    await t.post(`/workflows/${workflow}/initialize_jobs`, undefined, operator)
  }
  const token = await tokenFor({ scopes: ['claim'], project: 'alpha' })
  const size = { num_cpus: 4, memory_gb: 8, num_gpus: 0, num_nodes: 1 }
  const node = { hostname: 'n', pid: 1, start_time: '2026-01-01T00:00:00Z', compute_node_type: 'local', ...size }
  const claim = { limit: 10, ...size, node }
  const claimed = await token.post('/claims', claim)
  expect(claimed.status).toBe(200)
  expect(claimed.body.jobs.map((job: { workflow_id: number }) => job.workflow_id)).toEqual([alpha])
  expect((await token.post('/claims', { ...claim, workflow_ids: [beta] })).body.jobs).toEqual([])
})

describe('POST /workflows/{id}/tokens', () => {
  it('gives runners and jobs tokens of that workflow, no longer than the one they are made with', async () => {
    const runners = await tokenFor({ scopes: ['claim'], user: 'ada', expires_in_seconds: 3_600 })
    const runner = (await runners.post(`/workflows/${alpha}/tokens`, { expires_in_seconds: 7_200 })).body
    expect(runner).toMatchObject({
      scopes: ['claim'],
      user: 'ada',
      workflow_id: alpha,
      expires_at: '2026-01-01T01:00:00.000Z',
      token: expect.stringMatching(/^hr_/),
    })
    const acting = actingAs(t, bearer(runner.token))
    const job = (await acting.post(`/workflows/${alpha}/tokens`, { kind: 'job', expires_in_seconds: 60 })).body
    expect(job).toMatchObject({
      scopes: ['read', 'write'],
      parent_id: runner.id,
      expires_at: '2026-01-01T00:01:00.000Z',
    })
    const inJob = actingAs(t, bearer(job.token))
    expect((await inJob.post('/jobs', { workflow_id: alpha, name: 'x', command: 'true' })).status).toBe(200)
    expect((await inJob.post(`/workflows/${alpha}/claim_next_jobs`)).status).toBe(403)
    expect((await inJob.post(`/workflows/${alpha}/tokens`, { kind: 'runner' })).status).toBe(403)
    expect((await inJob.get(`/workflows/${beta}`)).status).toBe(403)

    await t.del(`/tokens/${runner.parent_id}`, operator)
    expect((await acting.get(`/workflows/${alpha}`)).status).toBe(401)
    expect((await inJob.get(`/workflows/${alpha}`)).status).toBe(401)
  })

  it('gives users with a password tokens with their own rights, and the operator any', async () => {
    await t.close()
    await open(true)
    const made = await t.post(`/workflows/${alpha}/tokens`, undefined, as('ada'))
    expect(made.body).toMatchObject({ user: 'ada', created_by: 'ada', expires_at: '2026-01-02T00:00:00.000Z' })
    expect((await t.post(`/workflows/${alpha}/tokens`, undefined, as('ben'))).status).toBe(403)
    expect((await t.post('/workflows/999/tokens', undefined, operator)).status).toBe(404)
    const open_ = await t.post(`/workflows/${alpha}/tokens`, { expires_in_seconds: 9_999_999 }, operator)
    expect(open_.body.user).toBeUndefined()
    expect(open_.body.expires_at).toBe('2026-02-02T00:00:00.000Z')
  })
})
