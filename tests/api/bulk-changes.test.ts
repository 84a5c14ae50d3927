import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { all, run } from '../../db/unit.ts'
import { type TestApp, testApp } from '../helpers/app.ts'
import { completionOf } from '../helpers/completion.ts'
import { assertInvariants } from '../helpers/invariants.ts'
import { setStatus } from '../helpers/seed.ts'
import {
  chain,
  diamond,
  independent,
  jobOf,
  requirementsOf,
  startWorkflow,
  statusesOf,
  workflowOf,
} from '../helpers/workflow.ts'

let t: TestApp
beforeEach(async () => {
  t = await testApp()
})
afterEach(async () => {
  await assertInvariants(t.db)
  await t.close()
})

const change = (workflowId: number, operation: string, body: object) =>
  t.post(`/workflows/${workflowId}/jobs/${operation}`, body)

describe('a selector', () => {
  const jobs = [
    jobOf('work_1', { tags: { site: 'a', kind: 'x' }, labels: ['big', 'gpu'], resourceRequirements: 0 }),
    jobOf('work_2', { tags: { site: 'b' }, labels: ['big'] }),
    jobOf('Work_3', { tags: { site: 'a' } }),
    jobOf('post[1]', {}),
  ]

  it.each<[object, string[]]>([
    [{ all: true }, ['work_1', 'work_2', 'Work_3', 'post[1]']],
    [{ name: 'work_1' }, ['work_1']],
    [{ name: ['work_1', 'post[1]', 'nobody'] }, ['work_1', 'post[1]']],
    [{ pattern: 'work_*' }, ['work_1', 'work_2']],
    [{ pattern: '?ork_[13]' }, ['work_1', 'Work_3']],
    [{ label: 'big' }, ['work_1', 'work_2']],
    [{ label: ['big', 'gpu'] }, ['work_1']],
    [{ label: 'bi' }, []],
    [{ tag: { site: 'a' } }, ['work_1', 'Work_3']],
    [{ tag: { site: 'a', kind: 'x' } }, ['work_1']],
    [{ resource_class: 'wide' }, ['work_1']],
    [{ resource_class: ['wide', 'default'] }, ['work_1', 'work_2', 'Work_3', 'post[1]']],
    [{ status: 'ready' }, ['work_1', 'work_2', 'Work_3', 'post[1]']],
    [{ status: ['failed', 'running'] }, []],
    [{ pattern: 'work_*', tag: { site: 'b' } }, ['work_2']],
    [{ name: null, pattern: 'post*' }, ['post[1]']],
    [{ pattern: 'post?1]' }, ['post[1]']],
  ])('%j means %j', async (selector, names) => {
    const { workflowId } = await startWorkflow(
      t,
      workflowOf(jobs, { resourceRequirements: [requirementsOf('wide', { numCpus: 9 })] }),
    )
    const before = names.length
    const tried = await change(workflowId, 'priority', { selector, priority: 7, dry_run: true })
    expect(tried.body).toMatchObject({ matched_count: before, changed_count: before, dry_run: true })
    const listed = async () => {
      const { body } = await t.get(`/jobs?workflow_id=${workflowId}`)
      return body.items.filter((job: { priority: number }) => job.priority === 7)
    }
    expect(await listed()).toEqual([])
    expect((await change(workflowId, 'priority', { selector, priority: 7 })).body).toMatchObject({
      workflow_id: workflowId,
      operation: 'priority',
      dry_run: false,
      matched_count: before,
      changed_count: before,
      matched_by_status: before === 0 ? {} : { ready: before },
    })
    expect((await listed()).map((job: { name: string }) => job.name)).toEqual(names)
  })

  it.each<[object, string]>([
    [{}, 'selector'],
    [{ selector: {} }, 'selector'],
    [{ selector: { names: 'a' } }, 'selector.names'],
    [{ selector: { all: false } }, 'selector.all'],
    [{ selector: { status: 'done' } }, 'selector.status'],
    [{ selector: { status: [] } }, 'selector.status'],
    [{ selector: { tag: {} } }, 'selector.tag'],
    [{ selector: { pattern: '*'.repeat(100_000) } }, 'selector.pattern'],
    [{ selector: { all: true }, dry_run: 'yes' }, 'dry_run'],
  ])('%j is refused and names %s', async (body, field) => {
    const { workflowId } = await startWorkflow(t, workflowOf(independent(1)))
    const reply = await change(workflowId, 'cancel', body)
    expect([reply.status, reply.body.error.field]).toEqual([422, field])
    expect(await statusesOf(t, workflowId)).toEqual(['ready'])
  })

  it('of a workflow that is not there is 404', async () => {
    expect((await change(99, 'cancel', { selector: { all: true } })).status).toBe(404)
  })
})

describe('POST /workflows/{id}/jobs/cancel', () => {
  it('ends what has not ended, and cancels what hangs below', async () => {
    const { workflowId, jobs } = await startWorkflow(t, workflowOf(diamond()))
    const reply = await change(workflowId, 'cancel', { selector: { name: 'job_1' } })
    expect(reply.body).toMatchObject({ matched_count: 1, changed_count: 1, matched_by_status: { blocked: 1 } })
    expect(await statusesOf(t, workflowId)).toEqual(['ready', 'canceled', 'blocked', 'blocked'])
    await change(workflowId, 'cancel', { selector: { name: ['job_0', 'job_2'] } })
    expect(await statusesOf(t, workflowId)).toEqual(['canceled', 'canceled', 'canceled', 'canceled'])
    expect((await t.get(`/workflows/${workflowId}/is_complete`)).body.is_complete).toBe(true)
    expect(jobs).toHaveLength(4)
  })

  it('releases what goes on without success', async () => {
    const jobs = chain(2, { cancelOnBlockingJobFailure: false })
    const { workflowId } = await startWorkflow(t, workflowOf(jobs))
    await change(workflowId, 'cancel', { selector: { name: 'link_0' } })
    expect(await statusesOf(t, workflowId)).toEqual(['canceled', 'ready'])
  })

  it('takes a running job from its runner, whose report then comes too late', async () => {
    const started = await startWorkflow(t, workflowOf(independent(1)))
    const { body } = await t.post(`/workflows/${started.workflowId}/claim_next_jobs`, {
      compute_node_id: started.nodeId,
      lease_seconds: 60,
      start: true,
    })
    const { id, claim_token } = body.jobs[0]
    expect((await change(started.workflowId, 'cancel', { selector: { status: 'running' } })).body.changed_count).toBe(1)
    const reply = await t.post(`/workflows/${started.workflowId}/batch_complete_jobs`, {
      completions: [completionOf(started, id, { claim_token })],
      verdicts: true,
    })
    expect(reply.body.completed).toEqual([])
    expect(await statusesOf(t, started.workflowId)).toEqual(['canceled'])
  })

  it('leaves what has ended as it is, and writes nothing then', async () => {
    const { workflowId, jobs } = await startWorkflow(t, workflowOf(independent(2)))
    await setStatus(t, jobs[0]!, 'completed')
    const selector = { status: 'completed' }
    expect((await change(workflowId, 'cancel', { selector })).body).toMatchObject({
      matched_count: 1,
      changed_count: 0,
    })
    expect(await statusesOf(t, workflowId)).toEqual(['completed', 'ready'])
    expect((await t.get(`/events?workflow_id=${workflowId}&category=user_action`)).body.items).toEqual([])
  })

  it('goes through workflows larger than one transaction and tells the same counts as its dry run', async () => {
    const { workflowId } = await startWorkflow(t, workflowOf(independent(12_000)))
    const selector = { pattern: 'job_*9' }
    const tried = await change(workflowId, 'cancel', { selector, dry_run: true })
    expect(tried.body).toMatchObject({ matched_count: 1_200, changed_count: 1_200 })
    const { dry_run: _, ...counts } = tried.body
    expect((await change(workflowId, 'cancel', { selector })).body).toEqual({ ...counts, dry_run: false })
    expect((await t.get(`/workflows/${workflowId}/summary`)).body.jobs_by_status).toMatchObject({
      ready: 10_800,
      canceled: 1_200,
    })
  })

  it('is 503 while the jobs of the workflow are counted anew', async () => {
    const { workflowId } = await startWorkflow(t, workflowOf(independent(1)))
    await t.db.write(() => run(`UPDATE workflow SET state = 'initializing', state_since = 0 WHERE id = ?`, workflowId))
    expect((await change(workflowId, 'cancel', { selector: { all: true } })).status).toBe(503)
    expect(await statusesOf(t, workflowId)).toEqual(['ready'])
  })
})

describe('POST /workflows/{id}/jobs/reset', () => {
  it('makes jobs uninitialized, with what is complete below them', async () => {
    const { workflowId, jobs } = await startWorkflow(t, workflowOf(chain(3)))
    for (const id of jobs) await setStatus(t, id, 'completed')
    await t.db.write(() => run('UPDATE job SET unfinished = 0 WHERE workflow_id = ?', workflowId))
    const reply = await change(workflowId, 'reset', { selector: { name: 'link_1' } })
    expect(reply.body).toMatchObject({ matched_count: 1, changed_count: 1 })
    expect(await statusesOf(t, workflowId)).toEqual(['completed', 'uninitialized', 'uninitialized'])
    await t.post(`/workflows/${workflowId}/initialize_jobs?only_uninitialized=true`)
    expect(await statusesOf(t, workflowId)).toEqual(['completed', 'ready', 'blocked'])
  })
})

describe('POST /workflows/{id}/jobs/retry', () => {
  it('makes failed jobs ready for their next attempt, and opens again what they canceled', async () => {
    const started = await startWorkflow(t, workflowOf(chain(3)))
    const { workflowId, jobs } = started
    await t.post(`/workflows/${workflowId}/claim_next_jobs`, {})
    await t.post(`/workflows/${workflowId}/batch_complete_jobs`, {
      completions: [completionOf(started, jobs[0]!, { status: 'failed' })],
    })
    expect(await statusesOf(t, workflowId)).toEqual(['failed', 'canceled', 'canceled'])
    expect((await change(workflowId, 'retry', { selector: { all: true } })).body).toMatchObject({
      matched_count: 3,
      changed_count: 1,
      matched_by_status: { failed: 1, canceled: 2 },
    })
    expect(await statusesOf(t, workflowId)).toEqual(['ready', 'blocked', 'blocked'])
    expect((await t.get(`/jobs/${jobs[0]}`)).body).toMatchObject({ attempt_id: 2, origin: 'retry' })
  })

  it('blocks a retried job that waits for another one', async () => {
    const started = await startWorkflow(t, workflowOf(chain(2, { cancelOnBlockingJobFailure: false })))
    const { workflowId, jobs } = started
    for (const id of jobs) {
      await t.post(`/workflows/${workflowId}/claim_next_jobs`, {})
      await t.post(`/workflows/${workflowId}/batch_complete_jobs`, {
        completions: [completionOf(started, id, { status: 'failed' })],
      })
    }
    expect(await statusesOf(t, workflowId)).toEqual(['failed', 'failed'])
    await change(workflowId, 'retry', { selector: { status: 'failed' } })
    expect(await statusesOf(t, workflowId)).toEqual(['ready', 'blocked'])
  })
})

describe('POST /workflows/{id}/jobs/labels', () => {
  const labelsOf = async (workflowId: number) =>
    (await t.get(`/jobs?workflow_id=${workflowId}`)).body.items.map((job: { labels?: string[] }) => job.labels ?? [])

  it('sets, adds and removes, and decides who may take the jobs', async () => {
    const jobs = [jobOf('a', { labels: ['big'] }), jobOf('b'), jobOf('c', { labels: ['big', 'gpu'] })]
    const { workflowId } = await startWorkflow(t, workflowOf(jobs))
    await change(workflowId, 'labels', { selector: { all: true }, add: ['new'], remove: ['big'] })
    expect(await labelsOf(workflowId)).toEqual([['new'], ['new'], ['gpu', 'new']])
    await change(workflowId, 'labels', { selector: { name: ['a', 'c'] }, set: ['z', 'y'] })
    expect(await labelsOf(workflowId)).toEqual([['y', 'z'], ['new'], ['y', 'z']])
    const { body } = await t.post(`/workflows/${workflowId}/claim_next_jobs?limit=9&labels=y,z`, {})
    expect(body.jobs.map((job: { name: string }) => job.name)).toEqual(['a', 'c'])
    await change(workflowId, 'labels', { selector: { name: 'b' }, set: [] })
    expect(await labelsOf(workflowId)).toEqual([['y', 'z'], [], ['y', 'z']])
  })

  it.each([{}, { set: ['a'], add: ['b'] }, { set: ['with,comma'] }])('refuses %j', async fields => {
    const { workflowId } = await startWorkflow(t, workflowOf(independent(1)))
    expect((await change(workflowId, 'labels', { selector: { all: true }, ...fields })).status).toBe(422)
  })
})

describe('POST /workflows/{id}/jobs/priority', () => {
  it('decides who is claimed first', async () => {
    const { workflowId } = await startWorkflow(t, workflowOf(independent(3)))
    await change(workflowId, 'priority', { selector: { name: 'job_2' }, priority: 5 })
    const { body } = await t.post(`/workflows/${workflowId}/claim_next_jobs?limit=1`, {})
    expect(body.jobs[0].name).toBe('job_2')
  })

  it('refuses a negative one and records who changed what', async () => {
    const { workflowId } = await startWorkflow(t, workflowOf(independent(1)))
    expect((await change(workflowId, 'priority', { selector: { all: true }, priority: -1 })).body.error.field).toBe(
      'priority',
    )
    expect((await change(workflowId, 'priority', { selector: { all: true } })).status).toBe(422)
    await change(workflowId, 'priority', { selector: { all: true }, priority: 1 })
    const rows = await t.db.read(() =>
      all<{ data: string }>('SELECT data FROM event WHERE workflow_id = ?', workflowId),
    )
    expect(rows.map(row => JSON.parse(row.data))).toMatchObject([
      { category: 'user_action', action: 'bulk_change', operation: 'priority', changed_count: 1 },
    ])
  })
})
