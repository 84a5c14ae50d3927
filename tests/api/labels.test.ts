import { afterEach, beforeEach, expect, it } from 'vitest'
import { type TestApp, testApp } from '../helpers/app.ts'
import { seedJob, seedNode, seedWorkflow } from '../helpers/seed.ts'

/** Labels route jobs to runners (contract/notes.md 19.5). */

let t: TestApp
let w: number
beforeEach(async () => {
  t = await testApp()
  w = await seedWorkflow(t)
})
afterEach(() => t.close())

const OFFER = { num_cpus: 8, memory_gb: 8, num_gpus: 0, num_nodes: 1 }
const names = (reply: { body: { jobs: { name: string }[] } }) => reply.body.jobs.map(job => job.name)

it('labels are a set: sorted, each once, and absent where there are none', async () => {
  const job = await seedJob(t, w, { labels: ['b', 'a', 'b'] })
  expect((await t.get(`/jobs/${job}`)).body.labels).toEqual(['a', 'b'])
  expect((await t.get(`/jobs/${await seedJob(t, w, { labels: [] })}`)).body).not.toHaveProperty('labels')
  const node = await seedNode(t, w, { labels: ['y', 'x'] })
  expect((await t.get(`/compute_nodes/${node}`)).body.labels).toEqual(['x', 'y'])
})

it.each(['', ' a', 'a ', 'a,b'])('the label %j is refused everywhere, quoted', async label => {
  const labels = [label]
  const job = await seedJob(t, w)
  const stored = (await t.get(`/jobs/${job}`)).body
  const fields = { workflow_id: w, name: 'j', command: 'c', labels }
  const node = { workflow_id: w, hostname: 'h', pid: 1, start_time: 's', ...OFFER, compute_node_type: 'local', labels }
  for (const [place, reply] of [
    ['POST /jobs', await t.post('/jobs', fields)],
    ['POST /bulk_jobs', await t.post('/bulk_jobs', { jobs: [{ ...fields, labels: [] }, fields] })],
    ['PUT /jobs', await t.put(`/jobs/${job}`, { ...stored, labels })],
    ['POST /compute_nodes', await t.post('/compute_nodes', node)],
    ['claim by resources', await t.post(`/workflows/${w}/claim_jobs_based_on_resources/1`, { ...OFFER, labels })],
    ['spawn', await t.post(`/jobs/${job}/spawn_jobs`, { jobs: [{ name: 's', command: 'c', labels }] })],
  ] as const) {
    expect(reply.status, place).toBe(422)
    expect(reply.body.error.message, place).toContain(JSON.stringify(label))
    expect(reply.body.error.field, place).toContain('labels')
  }
})

it('claim_next_jobs refuses a label with a blank at an end, and ignores empty pieces', async () => {
  const bad = await t.post(`/workflows/${w}/claim_next_jobs?labels=${encodeURIComponent('a, b')}`)
  expect(bad).toMatchObject({ status: 422, body: { error: { message: expect.stringContaining('" b"') } } })
  expect((await t.post(`/workflows/${w}/claim_next_jobs?labels=,a,,`)).status).toBe(200)
})

it('a runner takes jobs whose labels it all has, and one without labels takes jobs without', async () => {
  for (const [name, labels] of [
    ['plain', []],
    ['gpu', ['gpu']],
    ['both', ['gpu', 'big']],
    ['case', ['GPU']],
  ] as const) {
    await seedJob(t, w, { name, labels })
  }
  const taken = async (query: string) => {
    await t.post(`/workflows/${w}/initialize_jobs`)
    return names(await t.post(`/workflows/${w}/claim_next_jobs?limit=9${query}`))
  }
  expect(await taken('')).toEqual(['plain'])
  expect(await taken('&labels=')).toEqual(['plain'])
  expect(await taken('&labels=gpu')).toEqual(['gpu'])
  expect(await taken('&labels=big,gpu,more')).toEqual(['gpu', 'both'])
  await t.post(`/workflows/${w}/initialize_jobs`)
  const byResources = (labels?: string[]) =>
    t.post(`/workflows/${w}/claim_jobs_based_on_resources/9`, { ...OFFER, labels })
  expect(names(await byResources())).toEqual(['plain'])
  expect(names(await byResources(['big', 'gpu']))).toEqual(['gpu', 'both'])
})

it('labels hold where jobs of another scheduler are handed out', async () => {
  await seedJob(t, w, { name: 'bound', scheduler_id: 3, labels: ['x'] })
  await t.post(`/workflows/${w}/initialize_jobs`)
  expect(names(await t.post(`/workflows/${w}/claim_jobs_based_on_resources/9`, OFFER))).toEqual([])
  const mine = await t.post(`/workflows/${w}/claim_jobs_based_on_resources/9`, { ...OFFER, labels: ['x'] })
  expect(names(mine)).toEqual(['bound'])
  expect(mine.body.jobs[0].labels).toEqual(['x'])
})

it('GET /jobs?labels= shows what such a runner would match, whatever the status', async () => {
  for (const [name, labels] of [
    ['plain', []],
    ['one', ['a']],
    ['two', ['a', 'b']],
  ] as const) {
    await seedJob(t, w, { name, labels })
  }
  const found = async (query: string) =>
    (await t.get(`/jobs?workflow_id=${w}${query}`)).body.items.map((job: { name: string }) => job.name)
  expect(await found('&labels=')).toEqual(['plain'])
  expect(await found('&labels=a')).toEqual(['one'])
  expect(await found('&labels=b,a')).toEqual(['one', 'two'])
  expect(await found('')).toEqual(['plain', 'one', 'two'])
})

it('PUT /jobs changes labels at any status: null keeps, an empty list clears', async () => {
  const job = await seedJob(t, w, { labels: ['a'] })
  await t.post(`/workflows/${w}/initialize_jobs`)
  const put = async (labels: unknown) =>
    (await t.put(`/jobs/${job}`, { ...(await t.get(`/jobs/${job}`)).body, labels })).body
  expect(await put(null)).toMatchObject({ status: 'ready', labels: ['a'] })
  expect(await put(['b', 'a'])).toMatchObject({ labels: ['a', 'b'] })
  expect(await put([])).not.toHaveProperty('labels')
  expect(names(await t.post(`/workflows/${w}/claim_next_jobs`))).toEqual(['j'])
})

it('PUT /compute_nodes leaves the labels of a node alone', async () => {
  const node = await seedNode(t, w, { labels: ['a'] })
  const { body } = await t.put(`/compute_nodes/${node}`, {
    ...(await t.get(`/compute_nodes/${node}`)).body,
    labels: ['b'],
  })
  expect(body.labels).toEqual(['a'])
})

it('labels are checked before the workflow is found canceled', async () => {
  await t.put(`/workflows/${w}/cancel`)
  const bad = await t.post(`/workflows/${w}/claim_jobs_based_on_resources/1`, { ...OFFER, labels: [''] })
  expect(bad.status).toBe(422)
})
