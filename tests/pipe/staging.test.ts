import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { PIPE_SCHEDULERS } from '../../api/contract/pipe.ts'
import { SCHEDULER_NAMES } from '../../runner/schedulers/types.ts'
import { type TestApp, testApp } from '../helpers/app.ts'
import { independent, jobOf, requirementsOf, startWorkflow, workflowOf } from '../helpers/workflow.ts'
import { claimFor, STAGING, seedElement, stageRun } from './helpers.ts'

let t: TestApp
beforeEach(async () => {
  t = await testApp()
})
afterEach(() => t.close())

const sets = [
  requirementsOf('small', { runtime: 'PT5M', runtimeSeconds: 300 }),
  requirementsOf('wide', { numCpus: 4, runtime: 'PT5M', runtimeSeconds: 300 }),
  requirementsOf('fat', { memory: '4g', memoryBytes: 4 * 2 ** 30, runtime: 'PT5M', runtimeSeconds: 300 }),
  requirementsOf('graphic', { numGpus: 1, runtime: 'PT5M', runtimeSeconds: 300 }),
  requirementsOf('long', { runtime: 'PT3H', runtimeSeconds: 10_800 }),
  requirementsOf('spread', { numNodes: 2, runtime: 'PT5M', runtimeSeconds: 300 }),
]

const alike = (n: number) => independent(n, { resourceRequirements: 0, family: 'opt', tags: { method: 'dft' } })
const plain = { resourceRequirements: 0, family: 'opt', tags: { method: 'dft' } }

async function stageWith(other: object, staging: object = {}) {
  const jobs = [...alike(3), jobOf('other', { ...plain, ...other })]
  const { workflowId } = await startWorkflow(t, workflowOf(jobs, { resourceRequirements: sets }))
  return { workflowId, reply: await t.post(`/workflows/${workflowId}/pipe_runs`, { ...STAGING, ...staging }) }
}

describe('POST pipe_runs', () => {
  it.each([
    ['num_cpus', { resourceRequirements: 1 }],
    ['memory', { resourceRequirements: 2 }],
    ['num_gpus', { resourceRequirements: 3 }],
    ['runtime', { resourceRequirements: 4 }],
    ['invocation_script', { invocationScript: 'module load orca\n' }],
    ['labels', { labels: ['gpu'] }],
    ['family', { family: 'sp' }],
    ['tags.method', { tags: { method: 'mp2' } }],
    ['tags.solvent', { tags: { method: 'dft', solvent: 'water' } }],
  ])('S27 refuses jobs that differ in %s with 422, names the field, and stores nothing', async (field, other) => {
    const { workflowId, reply } = await stageWith(other)
    expect(reply).toMatchObject({ status: 422, body: { error: { field } } })
    expect(reply.body.error.message).toContain(`differ in ${field}`)
    expect((await t.get(`/workflows/${workflowId}/pipe_runs`)).body.count).toBe(0)
  })

  it('takes one key and leaves the rest when it may choose: that of most ready jobs', async () => {
    const { reply, workflowId } = await stageWith({ family: 'sp' }, { choose: true })
    expect(reply).toMatchObject({ status: 200, body: { key: { family: 'opt' }, members: { total: 3 } } })
    const rest = await t.post(`/workflows/${workflowId}/pipe_runs`, { ...STAGING, family: 'sp' })
    expect(rest).toMatchObject({ status: 200, body: { members: { total: 1 } } })
  })

  it('takes the jobs of a family, of tags, or those that are named', async () => {
    for (const [asked, total] of [
      [{ family: 'opt' }, 3],
      [{ tags: { method: 'mp2' } }, 1],
    ] as const) {
      const { reply } = await stageWith({ family: 'sp', tags: { method: 'mp2' } }, asked)
      expect(reply, JSON.stringify(asked)).toMatchObject({ status: 200, body: { members: { total } } })
    }
    const { workflowId, jobs } = await startWorkflow(t, workflowOf(independent(4)))
    const named = await t.post(`/workflows/${workflowId}/pipe_runs`, { ...STAGING, job_ids: jobs.slice(1, 3) })
    expect(named.body.members.total).toBe(2)
    const members = await t.get(`/pipe_runs/${named.body.id}/members`)
    expect(members.body.items.map((one: { job_id: number }) => one.job_id)).toEqual(jobs.slice(1, 3))
  })

  it('compares tags as they are, whatever characters they hold and in whatever order', async () => {
    const tags = { 'a"b': "it's", 'ä\u{1F600}': '', '$.x[0]': '\n' }
    const reversed = Object.fromEntries(Object.entries(tags).reverse())
    const jobs = [
      ...independent(2, { tags }),
      jobOf('other', { tags: reversed }),
      jobOf('less', { tags: { 'a"b': "it's" } }),
    ]
    const { workflowId } = await startWorkflow(t, workflowOf(jobs))
    const most = await t.post(`/workflows/${workflowId}/pipe_runs`, { ...STAGING, choose: true })
    expect(most).toMatchObject({ status: 200, body: { members: { total: 3 }, key: { tags } } })
    const rest = await t.post(`/workflows/${workflowId}/pipe_runs`, { ...STAGING, tags: { 'a"b': "it's" } })
    expect(rest.body).toMatchObject({ members: { total: 1 } })
  })

  it('never takes a job twice: named ones are refused with 409, others are left', async () => {
    const { workflowId, runId, jobs } = await stageRun(t, independent(3))
    const again = await t.post(`/workflows/${workflowId}/pipe_runs`, { ...STAGING, job_ids: [jobs[1]] })
    expect(again).toMatchObject({ status: 409, body: { error: { message: expect.stringContaining(`run ${runId}`) } } })
    expect((await t.post(`/workflows/${workflowId}/pipe_runs`, STAGING)).body.error.field).toBe('threshold')
    await t.post(`/pipe_runs/${runId}/cancel`)
    await t.post(`/workflows/${workflowId}/reset_job_status`)
    await t.post(`/workflows/${workflowId}/initialize_jobs`)
    expect((await t.post(`/workflows/${workflowId}/pipe_runs`, STAGING)).status).toBe(200)
  })

  it.each([
    [9, 422],
    [10, 200],
  ])('S28 answers %d ready jobs with %d at the threshold of 10', async (n, status) => {
    const { workflowId } = await startWorkflow(t, workflowOf(independent(n)))
    const { threshold: _, ...usual } = STAGING
    const reply = await t.post(`/workflows/${workflowId}/pipe_runs`, usual)
    expect(reply.status).toBe(status)
    if (status === 422) expect(reply.body.error).toMatchObject({ field: 'threshold', ready: n })
  })

  it('takes blocked jobs of the same key along, which are ready later, and counts the ready ones only', async () => {
    const jobs = [...independent(2), jobOf('after', { dependsOn: [0, 1] })]
    const { workflowId } = await startWorkflow(t, workflowOf(jobs))
    const few = await t.post(`/workflows/${workflowId}/pipe_runs`, { ...STAGING, threshold: 3 })
    expect(few.body.error).toMatchObject({ field: 'threshold', ready: 2 })
    const run = await t.post(`/workflows/${workflowId}/pipe_runs`, { ...STAGING, threshold: 2 })
    expect(run.body).toMatchObject({ members: { total: 3 }, claimable: { fresh: 2, retried: 0 } })
  })

  it.each([
    [300, {}, 100],
    [12, {}, 12],
    [12, { width: 5 }, 5],
    [12, { array_most: 7 }, 7],
  ])('S29 would give %d jobs with %j a width of %d', async (n, fields, width) => {
    const { workflowId } = await startWorkflow(t, workflowOf(independent(n)))
    const reply = await t.post(`/workflows/${workflowId}/pipe_runs?dry_run=true`, { ...STAGING, ...fields })
    expect(reply.body).toMatchObject({ width, ready: n })
    expect((await t.get(`/workflows/${workflowId}/pipe_runs`)).body.count).toBe(0)
  })

  it.each([
    ['throttle', 0],
    ['throttle', -1],
    ['throttle', true],
    ['throttle', 1.5],
    ['throttle', '8'],
    ['width', 0],
    ['width', -3],
    ['walltime_seconds', 0],
    ['walltime_seconds', '1h'],
    ['threshold', 0],
    ['slots', 0],
    ['scheduler', 'lsf'],
    ['scheduler', ''],
    ['directory', ''],
    ['job_ids', []],
  ])('S32, S35 refuses %s %j with 422 and the field', async (field, value) => {
    const { workflowId } = await startWorkflow(t, workflowOf(independent(2)))
    const reply = await t.post(`/workflows/${workflowId}/pipe_runs`, { ...STAGING, [field]: value })
    expect(reply).toMatchObject({ status: 422, body: { error: { field } } })
    expect((await t.get(`/workflows/${workflowId}/pipe_runs`)).body.count).toBe(0)
  })

  it('takes a throttle of 8 and none', async () => {
    const { workflowId } = await startWorkflow(t, workflowOf(independent(2)))
    const reply = await t.post(`/workflows/${workflowId}/pipe_runs?dry_run=true`, { ...STAGING, throttle: null })
    expect(reply.status).toBe(200)
    const run = await t.post(`/workflows/${workflowId}/pipe_runs`, { ...STAGING, throttle: 8 })
    expect(run.body.throttle).toBe(8)
  })

  it('refuses a wall time that the longest job does not fit, by the name of that job', async () => {
    const jobs = independent(3, { resourceRequirements: 0 })
    const { workflowId } = await startWorkflow(t, workflowOf(jobs, { resourceRequirements: sets }))
    const short = await t.post(`/workflows/${workflowId}/pipe_runs`, { ...STAGING, walltime_seconds: 300 })
    expect(short).toMatchObject({ status: 422, body: { error: { field: 'walltime_seconds' } } })
    expect(short.body.error.message).toContain('job job_0 does not fit')
  })

  it('refuses jobs of several nodes, jobs that are not open, and a workflow that is not there', async () => {
    const spread = independent(2, { resourceRequirements: 5 })
    const { workflowId } = await startWorkflow(t, workflowOf(spread, { resourceRequirements: sets }))
    const wide = await t.post(`/workflows/${workflowId}/pipe_runs`, STAGING)
    expect(wide).toMatchObject({ status: 422, body: { error: { field: 'num_nodes' } } })
    const unknown = await t.post(`/workflows/${workflowId}/pipe_runs`, { ...STAGING, job_ids: [999_999] })
    expect(unknown).toMatchObject({ status: 422, body: { error: { field: 'job_ids' } } })
    expect((await t.post('/workflows/999/pipe_runs', STAGING)).status).toBe(404)
  })

  it('tells the groups of open jobs', async () => {
    const { workflowId } = await stageWith({ family: 'sp' })
    const { body } = await t.get(`/workflows/${workflowId}/pipe_groups`)
    expect(
      body.items.map((group: { key: { family: string }; ready: number }) => [group.key.family, group.ready]),
    ).toEqual([
      ['opt', 3],
      ['sp', 1],
    ])
  })

  it('is gone with its workflow', async () => {
    const { workflowId, runId } = await stageRun(t)
    await t.del(`/workflows/${workflowId}`)
    expect((await t.get(`/pipe_runs/${runId}`)).status).toBe(404)
  })

  it('knows the schedulers that there are adapters for', () => {
    expect([...PIPE_SCHEDULERS].sort()).toEqual([...SCHEDULER_NAMES].sort())
  })
})

describe('claims of an element', () => {
  it('get members of its run only, and everybody else any job', async () => {
    const jobs = [...independent(2, { family: 'opt' }), jobOf('single', { family: 'sp' })]
    const staged = await stageRun(t, jobs, { staging: { family: 'opt' } })
    const element = await seedElement(t, staged)
    const claimed = await claimFor(t, staged.workflowId, element)
    expect(claimed.map(job => job.id)).toEqual(staged.jobs.slice(0, 2))
    expect(await claimFor(t, staged.workflowId, element)).toEqual([])
    const other = await t.post(`/workflows/${staged.workflowId}/claim_next_jobs`)
    expect(other.body.jobs.map((job: { id: number }) => job.id)).toEqual([staged.jobs[2]])
  })

  it('get nothing once the run is over', async () => {
    const staged = await stageRun(t, independent(2))
    const element = await seedElement(t, staged)
    await t.put(`/pipe_runs/${staged.runId}`, { state: 'failed' })
    expect(await claimFor(t, staged.workflowId, element)).toEqual([])
    expect((await t.post(`/workflows/${staged.workflowId}/claim_next_jobs`)).body.jobs).toHaveLength(2)
  })

  it('are for nodes of the run’s own workflow', async () => {
    const staged = await stageRun(t)
    const { nodeId } = await startWorkflow(t, workflowOf(independent(1)))
    const reply = await t.post(`/pipe_runs/${staged.runId}/runners`, { compute_node_id: nodeId, worker: 1 })
    expect(reply).toMatchObject({ status: 422, body: { error: { code: 'wrong_workflow' } } })
  })
})
