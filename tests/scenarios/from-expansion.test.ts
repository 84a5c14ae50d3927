import { afterEach, beforeEach, expect, it } from 'vitest'
import type { ExpandedWorkflow } from '../../api/core/spec/types.ts'
import { all } from '../../db/unit.ts'
import { type TestApp, testApp } from '../helpers/app.ts'
import { OVER_SQLD } from '../helpers/back-end.ts'
import { assertInvariants } from '../helpers/invariants.ts'
import { chain, graphOf, independent, jobOf, startWorkflow, statusesOf, workflowOf } from '../helpers/workflow.ts'
import { postOver, watchDb } from '../helpers/wrapped-db.ts'

let t: TestApp
beforeEach(async () => {
  t = await testApp()
})
afterEach(async () => {
  await assertInvariants(t.db)
  await t.close()
})

const send = (workflow: ExpandedWorkflow, start = true) =>
  t.post(`/workflows/from_expansion?start=${start}`, { workflow })
const TABLES = [
  'workflow',
  'workflow_count',
  'job',
  'job_text',
  'job_edge',
  'job_class',
  'job_file',
  'file',
  'resource_requirements',
  'stream_event',
]
async function rowCounts(): Promise<number[]> {
  const counts: number[] = []
  for (const table of TABLES)
    counts.push((await t.db.read(() => all<{ n: number }>(`SELECT count(*) AS n FROM ${table}`)))[0]!.n)
  return counts
}

const file = (name: string) => ({ name, path: name, stMtime: undefined, identifier: undefined })

it.each([
  ['jobs[1].dependsOn', workflowOf([jobOf('a'), jobOf('b', { dependsOn: [2] })])],
  ['jobs[0].dependsOn', workflowOf([jobOf('a', { dependsOn: [0] })])],
  ['jobs[0].inputFiles', workflowOf([jobOf('a', { inputFiles: [0] })])],
  ['jobs[0].outputFiles', workflowOf([jobOf('a', { outputFiles: [1] })], { files: [file('f')] })],
  ['jobs[0].inputUserData', workflowOf([jobOf('a', { inputUserData: [0] })])],
  ['jobs[0].resourceRequirements', workflowOf([jobOf('a', { resourceRequirements: 0 })])],
  ['jobs[0].scheduler', workflowOf([jobOf('a', { scheduler: 0 })])],
  ['jobs[0].failureHandler', workflowOf([jobOf('a', { failureHandler: 0 })])],
  [
    'actions[0].jobs',
    workflowOf([jobOf('a')], {
      actions: [
        {
          triggerType: 'on_jobs_ready',
          config: { actionType: 'run_commands', commands: [] },
          jobs: [1],
          requiredTriggers: 1,
          persistent: false,
        },
      ],
    }),
  ],
])('from_expansion refuses a link outside its list, naming %s, and leaves nothing behind', async (field, workflow) => {
  const before = await rowCounts()
  const { status, body } = await send(workflow)
  expect([status, body.error.field]).toEqual([422, field])
  expect(await rowCounts()).toEqual(before)
})

it.each([true, false])(
  'from_expansion refuses a cycle, names its jobs in order and leaves nothing behind (start=%s)',
  async start => {
    const before = await rowCounts()
    const { status, body } = await send(workflowOf(graphOf([[], [0, 3], [1], [2], [3]])), start)
    expect(status).toBe(422)
    const { cycle } = body.error as { cycle: string[] }
    expect([...cycle].sort()).toEqual(['job_1', 'job_2', 'job_3'])
    expect(body.error.message).toContain([...cycle, cycle[0]].join(' -> '))
    expect(await rowCounts()).toEqual(before)
  },
)

it('from_expansion finds a cycle through files, and takes a job that reads what it writes', async () => {
  const files = [file('f'), file('g')]
  const loop = [jobOf('a', { inputFiles: [0], outputFiles: [1] }), jobOf('b', { inputFiles: [1], outputFiles: [0] })]
  expect((await send(workflowOf(loop, { files }))).body.error.cycle).toHaveLength(2)
  const started = await startWorkflow(t, workflowOf([jobOf('own', { inputFiles: [0], outputFiles: [0] })], { files }))
  expect(await statusesOf(t, started.workflowId)).toEqual(['ready'])
})

it('from_spec refuses a cycle, naming its jobs, and leaves nothing behind', async () => {
  const before = await rowCounts()
  const jobs = [
    { name: 'first', command: 'true', depends_on: ['second'] },
    { name: 'second', command: 'true', depends_on: ['first'] },
  ]
  const { status, body } = await t.post('/workflows/from_spec?start=true&file_name=w.json', { name: 'w', jobs })
  expect(status).toBe(422)
  expect(body.error.message).toContain('first')
  expect(body.error.message).toContain('second')
  expect(await rowCounts()).toEqual(before)
})

it('from_expansion counts a link that is given twice once', async () => {
  const jobs = [jobOf('a', { outputFiles: [0, 0] }), jobOf('b', { dependsOn: [0, 0], inputFiles: [0, 0] })]
  const started = await startWorkflow(t, workflowOf(jobs, { files: [file('f')] }))
  expect(await statusesOf(t, started.workflowId)).toEqual(['ready', 'blocked'])
})

const MANY = OVER_SQLD ? 20_000 : 100_000

it(`from_expansion takes ${MANY} jobs in one request, and nobody sees half of them`, async () => {
  const jobs = chain(MANY).map((job, k) => ({ ...job, dependsOn: k % 100 === 0 ? [] : job.dependsOn }))
  const seen = new Set<number>()
  const creating = send(workflowOf(jobs))
  let done = false
  const ended = creating.finally(() => {
    done = true
  })
  while (!done) {
    // Reads answer in the same turn of the loop: without this the writer would never come to its own.
    await new Promise(resolve => setImmediate(resolve))
    for (const { id } of (await t.get('/workflows')).body.items) {
      const status = await t.get(`/workflows/${id}/status`)
      seen.add(Object.values<number>(status.body.jobs_by_status).reduce((sum, n) => sum + n, 0))
    }
  }
  const { body } = await ended
  expect(body.job_count).toBe(MANY)
  expect([...seen].every(n => n === MANY)).toBe(true)
  const statuses = await statusesOf(t, body.workflow_id)
  expect(statuses.filter(status => status === 'ready')).toHaveLength(MANY / 100)
  expect(statuses.filter(status => status === 'blocked')).toHaveLength(MANY - MANY / 100)
}, 60_000)

it('from_expansion writes no more rows in one transaction than its piece, however dense the links are', async () => {
  const width = 300
  const sources = Array.from({ length: width }, (_, k) => k)
  let rows = 0
  const perTransaction: number[] = []
  const post = postOver(
    t,
    watchDb(t.db, {
      before: ({ sql, args }) => {
        if (sql.startsWith('INSERT OR IGNORE INTO job_edge')) rows += args.length / 2
      },
      committed: () => {
        perTransaction.push(rows)
        rows = 0
      },
    }),
  )
  const workflow = workflowOf([...independent(width), ...sources.map(k => jobOf(`sink_${k}`, { dependsOn: sources }))])
  expect((await post('/workflows/from_expansion', { workflow })).status).toBe(200)
  expect(perTransaction.reduce((sum, n) => sum + n, 0)).toBeGreaterThanOrEqual(width * width)
  // A piece has 5,000 rows, its last statement up to 63 empty ones.
  expect(Math.max(...perTransaction)).toBeLessThanOrEqual(5_063)
})
