import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type TestApp, testApp } from '../helpers/app.ts'
import { runsOf } from '../helpers/back-end.ts'
import { completionOf } from '../helpers/completion.ts'
import { assertInvariants } from '../helpers/invariants.ts'
import { independent, requirementsOf, type Started, startWorkflow, workflowOf } from '../helpers/workflow.ts'

let t: TestApp
let started: Started
/** A workflow whose jobs nobody claims. */
let apart: Started
const faults: unknown[] = []
beforeAll(async () => {
  t = await testApp({ onFault: error => void faults.push(error) })
  started = await startWorkflow(t, workflowOf(independent(50)))
  apart = await startWorkflow(t, workflowOf(independent(1)))
})
afterAll(() => t.close())

/** Values that break careless code: numbers at the edges of what rows and JSON hold, odd texts, wrong shapes. */
const odd = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    -1,
    0,
    1,
    2 ** 53,
    2 ** 53 - 1,
    -(2 ** 53),
    2 ** 31,
    1e308,
    -1e308,
    0.5,
    '',
    ' ',
    'ready',
    'true',
    [],
    {},
    [[]],
    true,
  ),
  fc.constantFrom('\ud800', '\u0000', '\uffff', "'; DROP TABLE job; --", '__proto__', 'PT1H', 'x'.repeat(5_000)),
  fc.jsonValue({ maxDepth: 3 }),
)

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** A good request with a few of its parts, however deep, replaced or left out. */
const spoiled = (good: unknown): fc.Arbitrary<unknown> =>
  fc.array(fc.tuple(fc.nat(500), fc.boolean(), odd), { minLength: 1, maxLength: 3 }).map(changes => {
    const copy = JSON.parse(JSON.stringify(good)) as Json
    for (const [pick, drop, value] of changes) {
      const places = placesIn(copy)
      const place = places[pick % places.length]
      if (place === undefined) continue
      if (drop && !Array.isArray(place.owner)) delete place.owner[place.key]
      // A copy, since a later change may go into what this one has put there.
      else Object.assign(place.owner, { [place.key]: structuredClone(value) })
    }
    return copy
  })

type Place = { owner: { [key: string]: unknown }; key: string }

function placesIn(value: unknown): Place[] {
  if (typeof value !== 'object' || value === null) return []
  const owner = value as { [key: string]: unknown }
  return Object.keys(owner).flatMap(key => [{ owner, key }, ...placesIn(owner[key])])
}

const offer = () => ({
  num_cpus: 2,
  memory_gb: 1,
  num_gpus: 0,
  num_nodes: 1,
  time_limit: 'PT1H',
  scheduler_config_id: 1,
  claim_id: 'claim-0001',
  lease_seconds: 60,
  compute_node_id: started.nodeId,
  start: true,
  total: { num_cpus: 4, memory_gb: 8, num_gpus: 0 },
  hold: { jobs: 2, num_cpus: 1, memory_gb: 1 },
  labels: ['a'],
})
const entry = () => ({
  ...completionOf(started, started.jobs[0]!, { claim_token: 'x', attempt_id: 1, failure_class: 'allocation_end' }),
  usage: { user_seconds: 1, peak_memory_bytes: 5 },
  phase_times: { claimed: 1, launched: 2, exited: 3 },
  file_times: [{ file_id: 1, st_mtime: 1.5 }],
})
const expansion = () => ({
  workflow: workflowOf(independent(2, { resourceRequirements: 0, labels: ['a'], env: { A: 'b' } }), {
    resourceRequirements: [requirementsOf('r')],
    files: [{ name: 'f', path: 'f', stMtime: 1, identifier: 'i' }],
    userData: [{ name: 'u', data: '1', isEphemeral: false }],
    failureHandlers: [{ name: 'h', rules: '[]' }],
    actions: [
      {
        triggerType: 'on_jobs_ready',
        config: { actionType: 'run_commands', commands: ['true'] },
        jobs: [0],
        requiredTriggers: 1,
        persistent: false,
      },
    ],
  }),
  user: 'u',
  source_path: '/p',
})

/** Each route with a body it accepts. */
const routes: Record<string, () => [path: string, body: unknown]> = {
  claim_jobs_based_on_resources: () => [`/workflows/${started.workflowId}/claim_jobs_based_on_resources/2`, offer()],
  claim_next_jobs: () => [`/workflows/${started.workflowId}/claim_next_jobs?limit=1`, offer()],
  batch_complete_jobs: () => [
    `/workflows/${started.workflowId}/batch_complete_jobs`,
    {
      completions: [entry(), completionOf(started, started.jobs[1]!)],
      started: [{ job_id: started.jobs[2], claim_token: 'x', start_time: 1 }],
      verdicts: true,
      claim: { ...offer(), limit: 1 },
    },
  ],
  complete_job: () => [`/jobs/${apart.jobs[0]}/complete_job/completed/0`, completionOf(apart, apart.jobs[0]!).result],
  release: () => [
    `/compute_nodes/${started.nodeId}/release`,
    { claims: [{ job_id: started.jobs[4], claim_token: 'x', lost: 'node_lost' }], rest: false },
  ],
  from_expansion: () => ['/workflows/from_expansion?start=true', expansion()],
  from_spec: () => [
    '/workflows/from_spec?file_name=w.json',
    { name: 'w', jobs: [{ name: 'a', command: 'true', depends_on: [] }] },
  ],
  initialize_jobs: () => [`/workflows/${started.workflowId}/initialize_jobs`, {}],
}

it.each(Object.keys(routes))('S97 %s never answers a broken body with a fault of its own', async name => {
  const route = routes[name]!
  const [path, good] = route()
  expect((await t.post(path, good)).status, 'the body before it is broken').toBeLessThan(300)
  await fc.assert(
    fc.asyncProperty(fc.oneof({ weight: 5, arbitrary: spoiled(good) }, odd), async body => {
      const reply = await t.post(path, body)
      expect(faults).toEqual([])
      expect(reply.status).toBeLessThan(500)
      if (reply.status >= 400)
        expect(reply.body.error).toMatchObject({ code: expect.any(String), message: expect.any(String) })
    }),
    { numRuns: runsOf(300) },
  )
  await assertInvariants(t.db)
})

it('S97 odd numbers in paths and queries are refused or find nothing', async () => {
  const numbers = fc.constantFrom(
    '0',
    '-1',
    '999999999999999',
    '9'.repeat(40),
    '1e3',
    '0x1',
    'NaN',
    '%00',
    'a',
    '1.5',
    '+1',
  )
  const paths = [
    (n: string) => `/workflows/${n}/claim_next_jobs`,
    (n: string) => `/workflows/${started.workflowId}/claim_next_jobs?limit=${n}`,
    (n: string) => `/workflows/${started.workflowId}/claim_jobs_based_on_resources/${n}`,
    (n: string) => `/workflows/${n}/batch_complete_jobs`,
    (n: string) => `/jobs/${n}/complete_job/completed/${n}`,
    (n: string) => `/compute_nodes/${n}/release`,
    (n: string) => `/workflows/${n}/initialize_jobs`,
  ]
  const bodies = fc.constantFrom({}, { completions: [] }, { num_cpus: 1, memory_gb: 1, num_gpus: 0, num_nodes: 1 })
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...paths), numbers, bodies, async (path, n, body) => {
      expect((await t.post(path(n), body)).status).toBeLessThan(500)
    }),
    { numRuns: runsOf(300) },
  )
  expect(faults).toEqual([])
})
