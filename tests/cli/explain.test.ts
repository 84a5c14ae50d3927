import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { explainJob, type JobFacts, type NodeFacts } from '../../api/core/explain.ts'
import { renderExplanation } from '../../runner/screen/explanation.ts'
import { type TestApp, testApp } from '../helpers/app.ts'
import { seedNode } from '../helpers/seed.ts'

const GIB = 2 ** 30

const JOB: JobFacts = {
  status: 'ready',
  need: { cpus: 4, memoryBytes: 8 * GIB, gpus: 1, nodes: 1, runtimeSeconds: 3600 },
  schedulerId: null,
  labels: '',
  workflowCanceled: false,
  unfinished: 0,
  unsuccessful: 0,
  holder: null,
  leaseExpiresAt: Date.parse('2026-01-01T00:02:00Z'),
  pauseSeconds: null,
  handedBack: [],
}
const OFFER = { cpus: 8, memoryBytes: 16 * GIB, gpus: 2, nodes: 1 }
const NODE: NodeFacts = { hostname: 'n1', offer: OFFER, free: OFFER, labels: [], schedulerConfigId: null }

describe('explainJob()', () => {
  const codes = (job: Partial<JobFacts>, nodes: NodeFacts[] = []) =>
    explainJob({ ...JOB, ...job }, nodes).map(({ code }) => code)

  test.each<[Partial<JobFacts>, string[]]>([
    [{ status: 'running', holder: 'n1' }, ['running']],
    [{ status: 'running', leaseExpiresAt: null }, ['running', 'no_lease']],
    [{ status: 'pending' }, ['claimed']],
    [{ status: 'completed' }, ['finished']],
    [{ status: 'failed' }, ['finished']],
    [{ status: 'terminated' }, ['finished']],
    [{ status: 'canceled', unsuccessful: 2 }, ['finished', 'failed_dependencies']],
    [{ status: 'disabled' }, ['disabled']],
    [{ status: 'pending_failed' }, ['awaits_decision']],
    [{ status: 'uninitialized' }, ['not_initialized']],
    [{ status: 'blocked', unfinished: 2 }, ['dependencies']],
    [{ status: 'blocked', unfinished: 1, workflowCanceled: true }, ['workflow_canceled', 'dependencies']],
    [{ status: 'ready' }, ['no_runner']],
    [{ status: 'ready', workflowCanceled: true }, ['workflow_canceled', 'no_runner']],
  ])('for %j says %j', (job, expected) => {
    expect(codes(job)).toEqual(expected)
  })

  test('names each resource of which no active node has enough', () => {
    const nodes = [{ ...NODE, offer: { ...OFFER, cpus: 2, memoryBytes: 4 * GIB } }]
    expect(explainJob(JOB, nodes)[0]!.message).toContain(
      'CPUs: 4 asked, 2 there at most; memory: 8.0 GiB asked, 4.0 GiB there at most',
    )
  })

  test('says so when nodes have enough of each but none of all', () => {
    const nodes = [
      { ...NODE, offer: { ...OFFER, cpus: 2 } },
      { ...NODE, offer: { ...OFFER, gpus: 0 } },
    ]
    expect(explainJob(JOB, nodes)[0]).toMatchObject({ code: 'too_large', message: expect.stringContaining('at once') })
  })

  test('compares the time a job asks for with what nodes have left', () => {
    expect(codes({}, [{ ...NODE, offer: { ...OFFER, timeLimitSeconds: 600 } }])).toEqual(['too_little_time'])
    expect(codes({}, [{ ...NODE, offer: { ...OFFER, timeLimitSeconds: 3_600 } }])).toEqual(['waits_for_room'])
  })

  test('looks at labels before resources', () => {
    expect(codes({ labels: 'gpu' }, [NODE])).toEqual(['labels'])
    expect(codes({}, [{ ...NODE, labels: ['gpu'] }])).toEqual(['labels'])
    expect(codes({ labels: 'gpu' }, [{ ...NODE, labels: ['big', 'gpu'] }])).toEqual(['waits_for_room'])
  })

  test('says until when a runner holds it', () => {
    const messages = (job: Partial<JobFacts>) => explainJob({ ...JOB, ...job }, []).map(({ message }) => message)
    expect(messages({ status: 'pending', holder: 'n1' })[0]).toContain('n1 holds it until 2026-01-01T00:02:00.000Z')
    expect(messages({ status: 'running', holder: 'n1' })[0]).toContain('runs on n1 until 2026-01-01T00:02:00.000Z')
    expect(messages({ status: 'running', holder: 'n1', leaseExpiresAt: null })[0]).toBe('It runs on n1.')
  })

  test('says what is missing on nodes that are busy, and when nothing is', () => {
    const busy = { ...NODE, free: { cpus: 1, memoryBytes: 16 * GIB, gpus: 0 } }
    expect(explainJob(JOB, [busy])).toMatchObject([
      { code: 'waits_for_room', message: expect.stringContaining('n1 (CPUs: 4 asked, 1 free; GPUs: 1 asked, 0 free)') },
    ])
    const idle = { ...NODE, hostname: 'n2' }
    expect(explainJob(JOB, [busy, idle])[0]).toMatchObject({ message: expect.stringContaining('n2 has room') })
    const many = explainJob(JOB, Array(5).fill(busy))[0]!.message
    expect(many).toContain('and 2 more')
  })

  test('says that it is larger than any node seen, also when all of them are gone', () => {
    const small = { ...OFFER, cpus: 2 }
    expect(explainJob(JOB, [], [small])).toMatchObject([
      { code: 'no_runner' },
      {
        code: 'too_large',
        message: expect.stringContaining('larger than any node seen (CPUs: 4 asked, 2 there at most)'),
      },
    ])
    expect(explainJob(JOB, [], [small, OFFER]).map(({ code }) => code)).toEqual(['no_runner'])
    const now = { ...NODE, offer: { ...OFFER, cpus: 1 } }
    expect(explainJob(JOB, [now], [small])[0]!.message).toContain('any node seen (CPUs: 4 asked, 2 there at most)')
    expect(explainJob(JOB, [now], [OFFER])[0]!.message).toContain('one that is gone was large enough')
  })

  test('tells of a scheduler that no active runner offers', () => {
    expect(codes({ schedulerId: 3 }, [NODE])).toEqual(['scheduler'])
    expect(codes({ schedulerId: 3 }, [{ ...NODE, schedulerConfigId: 3 }])).toEqual(['waits_for_room'])
  })
})

describe('GET /jobs/{id}/explain', () => {
  let t: TestApp
  beforeEach(async () => {
    t = await testApp()
  })
  afterEach(() => t.close())

  const YAML = `
name: flow
resource_requirements:
  - { name: wide, num_cpus: 64, memory: 1g, runtime: PT1M }
jobs:
  - { name: first, command: 'true', resource_requirements: wide }
  - { name: second, command: 'true', depends_on: [first] }
`

  async function create(): Promise<number> {
    const reply = await t.app.request('/v1/workflows/from_spec?start=true', { method: 'POST', body: YAML })
    return ((await reply.json()) as { workflow_id: number }).workflow_id
  }

  test('names the unfinished dependencies of a blocked job', async () => {
    await create()
    expect((await t.get('/jobs/2/explain')).body).toMatchObject({
      job_id: 2,
      name: 'second',
      status: 'blocked',
      unfinished_dependencies: 1,
      dependencies: [{ job_id: 1, name: 'first', status: 'ready' }],
      reasons: [{ code: 'dependencies', message: 'It waits for 1 dependency to end.' }],
    })
  })

  test('compares a ready job with the active nodes only', async () => {
    const workflowId = await create()
    await seedNode(t, workflowId, { num_cpus: 128, is_active: false })
    expect((await t.get('/jobs/1/explain')).body.reasons.map(({ code }: { code: string }) => code)).toEqual([
      'no_runner',
    ])
    await seedNode(t, workflowId, { num_cpus: 4, is_active: true })
    const { body } = await t.get('/jobs/1/explain')
    expect(body.reasons[0]).toMatchObject({
      code: 'too_large',
      message: expect.stringContaining(
        'larger than every active node; one that is gone was large enough (CPUs: 64 asked, 4 there at most)',
      ),
    })
  })

  test('counts the time left of a node from its start and its limit', async () => {
    const workflowId = await create()
    const now = t.clock.now
    const node = { num_cpus: 64, is_active: true, start_time: new Date(now).toISOString(), time_limit: 'PT1H' }
    await seedNode(t, workflowId, node)
    expect((await t.get('/jobs/1/explain')).body.reasons[0].code).toBe('waits_for_room')
    t.clock.now = now + 3_700_000
    expect((await t.get('/jobs/1/explain')).body.reasons[0].code).toBe('too_little_time')
  })

  test('counts what the jobs on a node leave free, and says who holds a job until when', async () => {
    const workflowId = await create()
    const node = await seedNode(t, workflowId, { num_cpus: 64, is_active: true })
    const other = await t.post('/jobs', { workflow_id: workflowId, name: 'beside', command: 'true', priority: 9 })
    await t.post(`/workflows/${workflowId}/initialize_jobs?only_uninitialized=true`)
    await t.post(`/workflows/${workflowId}/claim_next_jobs?limit=1`, {
      compute_node_id: node,
      lease_seconds: 60,
      start: true,
    })
    expect((await t.get(`/jobs/${other.body.id}/explain`)).body.reasons).toMatchObject([
      { code: 'running', message: expect.stringContaining('It runs on node-1 until 2026-01-01T00:01:00.000Z') },
    ])
    expect((await t.get('/jobs/1/explain')).body.reasons).toMatchObject([
      { code: 'waits_for_room', message: expect.stringContaining('node-1 (CPUs: 64 asked, 63 free') },
    ])
  })

  test('names the workflow that was canceled, before anything else', async () => {
    const workflowId = await create()
    await t.put(`/workflows/${workflowId}/cancel`)
    expect((await t.get('/jobs/1/explain')).body.reasons[0].code).toBe('workflow_canceled')
    expect((await t.get('/jobs/2/explain')).body.reasons[0].code).toBe('workflow_canceled')
  })

  test('answers 404 for a job that does not exist', async () => {
    expect((await t.get('/jobs/99/explain')).status).toBe(404)
  })
})

test('renderExplanation() gives the reasons, then the dependencies by name', () => {
  const text = renderExplanation({
    job_id: 2,
    workflow_id: 1,
    name: 'second',
    status: 'blocked',
    reasons: [{ code: 'dependencies', message: 'It waits for 3 dependencies to end.' }],
    dependencies: [{ job_id: 1, name: 'first\u001b[2J', status: 'running' }],
    unfinished_dependencies: 3,
  })
  expect(text).toBe(`\
Job 2 (second) of workflow 1 is blocked.
  It waits for 3 dependencies to end.
    first?[2J (job 1) is running
    … and 2 more
`)
})
