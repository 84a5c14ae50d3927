import { afterEach, beforeEach, expect, it } from 'vitest'
import { exposition } from '../../../api/metrics/exposition.ts'
import { createHistogram } from '../../../api/metrics/histogram.ts'
import { accessApp, actingAs, as, nobody, operator } from '../../helpers/access.ts'
import type { TestApp } from '../../helpers/app.ts'
import { resultOf, seedJob, seedNode, seedWorkflow } from '../../helpers/seed.ts'
import { bearer, seedToken } from '../../helpers/tokens.ts'

let t: TestApp
beforeEach(async () => {
  t = await accessApp()
})
afterEach(() => t.close())

const ask = (headers: Record<string, string>) => t.app.request('/metrics', { headers })

/** Values by name and labels as they stand there. */
async function metrics(): Promise<Map<string, number>> {
  const reply = await ask(operator)
  expect(reply.status).toBe(200)
  const lines = (await reply.text()).split('\n').filter(line => line !== '' && !line.startsWith('#'))
  return new Map(
    lines.map(line => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  )
}

it('GET /metrics is for administrators, the operator and tokens that may read everything', async () => {
  const statusOf = async (headers: Record<string, string>) => (await ask(headers)).status
  const tokenOf = async (wanted: object) => bearer((await seedToken(t, { scopes: ['read'], ...wanted })).token)
  expect(await statusOf(operator)).toBe(200)
  expect(await statusOf(as('root'))).toBe(200)
  expect(await statusOf(await tokenOf({}))).toBe(200)
  expect(await statusOf(as('ada'))).toBe(403)
  expect(await statusOf(await tokenOf({ user: 'ada' }))).toBe(403)
  expect(await statusOf(await tokenOf({ project: 'p' }))).toBe(403)
  expect(await statusOf(nobody)).toBe(403)
  expect(await statusOf(bearer('x'))).toBe(401)
})

it('GET /metrics counts requests by operation and status, jobs by status, claims, completions and leases', async () => {
  const ada = actingAs(t, as('ada'))
  const workflow = await seedWorkflow(ada)
  const job = await seedJob(ada, workflow)
  await seedJob(ada, workflow, { name: 'k' })
  const node = await seedNode(ada, workflow)
  await ada.post(`/workflows/${workflow}/initialize_jobs`)
  const claim = { compute_node_id: node, lease_seconds: 60 }
  const claimed = await ada.post(`/workflows/${workflow}/claim_next_jobs?limit=2`, claim)
  expect(claimed.body.jobs).toHaveLength(2)
  await ada.get(`/jobs/${job}`)
  await t.get(`/jobs/${job}`, as('ben'))
  await t.get('/jobs/99', as('ada'))
  await t.app.request('/nothing', { method: 'BREW', headers: operator })

  const before = await metrics()
  expect(before.get('headrace_requests_total{method="GET",route="/jobs/:id",status="200"}')).toBe(1)
  expect(before.get('headrace_requests_total{method="GET",route="/jobs/:id",status="403"}')).toBe(1)
  expect(before.get('headrace_requests_total{method="GET",route="/jobs/:id",status="404"}')).toBe(1)
  expect(before.get('headrace_requests_total{method="any",route="none",status="404"}')).toBe(1)
  expect(before.get('headrace_request_duration_seconds_count{method="GET",route="/jobs/:id"}')).toBe(3)
  expect(before.get('headrace_jobs{status="pending"}')).toBe(2)
  expect(before.get('headrace_jobs{status="failed"}')).toBe(0)
  expect(before.get('headrace_claimed_jobs_total')).toBe(2)
  expect(before.get('headrace_completed_jobs_total')).toBe(0)
  expect(before.get('headrace_leases')).toBe(2)
  expect(before.get('headrace_lapsed_nodes')).toBe(0)
  expect(before.get('headrace_waiting_writes')).toBe(0)
  expect(before.get('headrace_database_duration_seconds_count{kind="write"}')).toBeGreaterThan(0)
  expect(before.get('headrace_info{version="0.0.0-test"}')).toBe(1)

  const { claim_token } = claimed.body.jobs.find((one: { id: number }) => one.id === job)
  const completion = { ...resultOf(workflow, job, node), claim_token }
  const batch = { completions: [{ job_id: job, status: 'completed', run_id: 0, claim_token, result: completion }] }
  const done = await ada.post(`/workflows/${workflow}/batch_complete_jobs`, batch)
  expect(done.body.completed).toEqual([job])
  t.clock.now += 61_000
  const after = await metrics()
  expect(after.get('headrace_completed_jobs_total')).toBe(1)
  expect(after.get('headrace_jobs{status="completed"}')).toBe(1)
  expect(after.get('headrace_leases')).toBe(1)
  expect(after.get('headrace_lapsed_nodes')).toBe(1)
})

it('exposition() writes what Prometheus reads', () => {
  const histogram = createHistogram([0.1, 1])
  for (const value of [0.05, 0.1, 0.5, 7]) histogram.observe(value)
  const text = exposition([
    { name: 'a_total', type: 'counter', help: 'A.', samples: [{ value: 3 }, { labels: { x: 'a"\\\nb' }, value: 0.5 }] },
    { name: 'b', type: 'histogram', help: 'B.', samples: histogram.samples({ kind: 'k' }) },
  ])
  expect(text).toBe(`# HELP a_total A.
# TYPE a_total counter
a_total 3
a_total{x="a\\"\\\\\\nb"} 0.5
# HELP b B.
# TYPE b histogram
b_bucket{kind="k",le="0.1"} 2
b_bucket{kind="k",le="1"} 3
b_bucket{kind="k",le="+Inf"} 4
b_sum{kind="k"} 7.65
b_count{kind="k"} 4
`)
})
