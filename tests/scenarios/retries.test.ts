import { afterEach, beforeEach, expect, it } from 'vitest'
import type { RetryRule } from '../../api/core/spec/types.ts'
import { all } from '../../db/unit.ts'
import { type TestApp, testApp } from '../helpers/app.ts'
import { completionOf } from '../helpers/completion.ts'
import { assertInvariants } from '../helpers/invariants.ts'
import {
  chain,
  independent,
  jobOf,
  requirementsOf,
  type Started,
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

type Job = { id: number; claim_token: string; attempt_id: number; resource_requirements: { memory_bytes: number } }

const RETRY: RetryRule = {
  max: 2,
  backoffSeconds: 10,
  backoffMaxSeconds: 600,
  on: [],
  memoryFactor: undefined,
  runtimeFactor: undefined,
  maxMemoryBytes: undefined,
  maxRuntimeSeconds: undefined,
}

const claim = async ({ workflowId, nodeId }: Started): Promise<Job[]> =>
  (
    await t.post(`/workflows/${workflowId}/claim_next_jobs`, {
      compute_node_id: nodeId,
      lease_seconds: 3600,
      start: true,
    })
  ).body.jobs

async function fail(started: Started, job: Job, fields: object = {}) {
  const entry = completionOf(started, job.id, {
    status: 'failed',
    failure_class: 'exit_code',
    claim_token: job.claim_token,
    attempt_id: job.attempt_id,
    ...fields,
  })
  return (
    await t.post(`/workflows/${started.workflowId}/batch_complete_jobs`, { verdicts: true, completions: [entry] })
  ).body
}

function pass(seconds: number): void {
  t.clock.now += seconds * 1000
}

const handler = (rules: object[]) => ({ failureHandlers: [{ name: 'h', rules: JSON.stringify(rules) }] })

it('S12 S18 a transient failure makes its job ready again after its pause, beside a sibling that goes on', async () => {
  const started = await startWorkflow(t, workflowOf(independent(2, { retry: RETRY })))
  const [failing] = await claim(started)
  expect(await fail(started, failing!)).toMatchObject({ completed: [failing!.id], retries: [{ attempt_id: 1 }] })
  expect(await statusesOf(t, started.workflowId)).toEqual(['ready', 'running'])
  expect(await claim(started)).toEqual([])
  pass(7)
  expect(await claim(started)).toEqual([])
  pass(6)
  expect(await claim(started)).toMatchObject([{ id: failing!.id, attempt_id: 2 }])
})

it('S18 with its retries spent the job fails, and every attempt has its result', async () => {
  const started = await startWorkflow(t, workflowOf(chain(2, { retry: RETRY })))
  for (let attempt = 1; attempt <= 3; attempt++) {
    pass(60)
    const [job] = await claim(started)
    expect(job!.attempt_id).toBe(attempt)
    await fail(started, job!)
  }
  expect(await statusesOf(t, started.workflowId)).toEqual(['failed', 'canceled'])
  const { body } = await t.get(`/results?workflow_id=${started.workflowId}&all_runs=true&sort_by=attempt_id`)
  expect(body.items.map((row: { attempt_id: number }) => row.attempt_id)).toEqual([1, 2, 3])
})

it('S17 a deterministic failure ends the job at once, retries left or not', async () => {
  const started = await startWorkflow(t, workflowOf(independent(1, { retry: RETRY })))
  const [job] = await claim(started)
  const reply = await fail(started, job!, { failure_class: 'deterministic' })
  expect(reply.retries).toBeUndefined()
  expect(await statusesOf(t, started.workflowId)).toEqual(['failed'])
})

it('S17 a job that is ejected waits for its owner, who gives it another command and puts it back', async () => {
  const started = await startWorkflow(t, workflowOf(chain(2, { retry: RETRY })))
  const [job] = await claim(started)
  await fail(started, job!, { status: 'pending_failed', failure_class: 'deterministic' })
  expect(await statusesOf(t, started.workflowId)).toEqual(['pending_failed', 'blocked'])
  const back = await t.post(`/jobs/${job!.id}/put_back`, { command: 'true --better', env: { X: '1' } })
  expect(back.body).toMatchObject({ status: 'ready', attempt_id: 2, command: 'true --better', env: { X: '1' } })
  expect((await t.post(`/jobs/${job!.id}/put_back`)).body.error).toMatchObject({ code: 'illegal_status' })
  expect(await claim(started)).toMatchObject([{ id: job!.id, attempt_id: 2 }])
})

it('S17 the owner of an ejected job gives it other resources, but none of another workflow', async () => {
  const set = { resourceRequirements: [requirementsOf('small'), requirementsOf('large', { memoryBytes: 2 ** 33 })] }
  const started = await startWorkflow(t, workflowOf(independent(1, { resourceRequirements: 0 }), set))
  const other = await startWorkflow(t, workflowOf(independent(1)))
  const [job] = await claim(started)
  await fail(started, job!, { status: 'pending_failed', failure_class: 'deterministic' })
  const sets = async (id: number) => (await t.get(`/resource_requirements?workflow_id=${id}`)).body.items
  const foreign = await t.post(`/jobs/${job!.id}/put_back`, {
    resource_requirements_id: (await sets(other.workflowId))[0].id,
  })
  expect(foreign.status).toBe(422)
  const large = (await sets(started.workflowId)).find(({ name }: { name: string }) => name === 'large')
  expect((await t.post(`/jobs/${job!.id}/put_back`, { resource_requirements_id: large.id })).status).toBe(200)
  const [again] = await claim(started)
  expect(again!.resource_requirements.memory_bytes).toBe(2 ** 33)
})

it('S17 the owner of an ejected job gives it up: it fails, and what hangs below it is canceled', async () => {
  const started = await startWorkflow(t, workflowOf(chain(2)))
  const [job] = await claim(started)
  await fail(started, job!, { status: 'pending_failed', failure_class: 'deterministic', return_code: 7 })
  const failed = await t.post(`/jobs/${job!.id}/fail`)
  expect(failed.body).toMatchObject({ status: 'failed' })
  expect(await statusesOf(t, started.workflowId)).toEqual(['failed', 'canceled'])
  expect((await t.post(`/jobs/${job!.id}/fail`)).status).toBe(422)
  const { body } = await t.get(`/results?workflow_id=${started.workflowId}`)
  expect(body.items).toMatchObject([{ status: 'failed', return_code: 7 }])
})

it('a failure without a class is the last word of a client that decides by itself', async () => {
  const started = await startWorkflow(t, workflowOf(independent(1, { retry: RETRY })))
  const [job] = await claim(started)
  await fail(started, job!, { failure_class: undefined })
  expect(await statusesOf(t, started.workflowId)).toEqual(['failed'])
})

it('a retried attempt that is reported again is a duplicate and retries nothing', async () => {
  const started = await startWorkflow(t, workflowOf(independent(1, { retry: RETRY })))
  const [job] = await claim(started)
  await fail(started, job!)
  const again = await fail(started, job!)
  expect(again.verdicts).toMatchObject([{ code: 'duplicate' }])
  expect(again.retries).toBeUndefined()
  expect((await t.get(`/jobs/${job!.id}`)).body).toMatchObject({ status: 'ready', attempt_id: 2 })
})

it('nothing is tried again in a canceled workflow, and a lost attempt spends no retry', async () => {
  const started = await startWorkflow(t, workflowOf(independent(1, { retry: { ...RETRY, max: 1, backoffSeconds: 0 } })))
  const [first] = await claim(started)
  pass(3600)
  const [second] = await claim(started)
  expect(second!.attempt_id).toBe(2)
  await fail(started, second!)
  expect(await statusesOf(t, started.workflowId)).toEqual(['ready'])
  expect(first!.id).toBe(second!.id)
  const [third] = await claim(started)
  await t.put(`/workflows/${started.workflowId}/cancel`)
  await fail(started, third!)
  expect(await statusesOf(t, started.workflowId)).toEqual(['canceled'])
})

it('S22 a retry with a recovery script waits for its end, and goes on though the script failed', async () => {
  const rules = [{ exit_codes: [1], recovery_script: './mend', max_retries: 3 }]
  const started = await startWorkflow(t, workflowOf([jobOf('a', { failureHandler: 0 })], handler(rules)))
  const [job] = await claim(started)
  const reply = await fail(started, job!)
  expect(reply.retries).toEqual([{ job_id: job!.id, attempt_id: 1, recovery_script: './mend' }])
  expect(await claim(started)).toEqual([])
  const ended = { run_id: 0, attempt_id: 1, return_code: 9, message: 'no such file' }
  expect((await t.post(`/jobs/${job!.id}/recovery`, ended)).status).toBe(200)
  expect(await claim(started)).toMatchObject([{ attempt_id: 2 }])
  const { body } = await t.get(`/jobs/${job!.id}/attempts`)
  expect(body.items).toMatchObject([
    { attempt_id: 1, recovery_script: './mend', recovery_return_code: 9, recovery_message: 'no such file' },
  ])
  expect((await t.post(`/jobs/${job!.id}/recovery`, { ...ended, attempt_id: 5 })).status).toBe(422)
})

it('S57 a recovery script whose reply was lost is named again, until its end was told', async () => {
  const rules = [{ exit_codes: [1], recovery_script: './mend' }]
  const started = await startWorkflow(t, workflowOf([jobOf('a', { failureHandler: 0 })], handler(rules)))
  const [job] = await claim(started)
  const first = await fail(started, job!)
  expect((await fail(started, job!)).retries).toEqual(first.retries)
  await t.post(`/jobs/${job!.id}/recovery`, { run_id: 0, attempt_id: 1, return_code: 0 })
  expect((await fail(started, job!)).retries).toBeUndefined()
})

it('S22 a runner that dies over its recovery script holds the retry back for ten minutes at most', async () => {
  const rules = [{ match_all_exit_codes: true, recovery_script: 'sleep 1000' }]
  const started = await startWorkflow(t, workflowOf([jobOf('a', { failureHandler: 0 })], handler(rules)))
  const [job] = await claim(started)
  await fail(started, job!)
  expect((await t.get(`/workflows/${started.workflowId}/summary`)).body.next_retry_in_seconds).toBe(600)
  expect((await t.get(`/jobs/${job!.id}/explain`)).body.reasons[0].code).toBe('waits_for_retry')
  pass(600)
  expect(await claim(started)).toMatchObject([{ attempt_id: 2 }])
})

it('S24 a retry and a completion of an earlier run are refused', async () => {
  const started = await startWorkflow(t, workflowOf(independent(1, { retry: RETRY })))
  const [job] = await claim(started)
  expect((await fail(started, job!, { run_id: 7 })).verdicts).toMatchObject([{ code: 'stale_run' }])
  expect((await t.post(`/jobs/${job!.id}/retry/7?max_retries=3`)).body.error.code).toBe('stale_run')
  expect(await statusesOf(t, started.workflowId)).toEqual(['running'])
})

it('S25 after running out of memory the next attempt asks for more, capped, and the history shows asked and used', async () => {
  const retry = { ...RETRY, max: 5, backoffSeconds: 0, memoryFactor: 2, maxMemoryBytes: 3 * 2 ** 20 }
  const started = await startWorkflow(t, workflowOf(independent(2, { retry })))
  const asked: number[] = []
  for (let attempt = 1; attempt <= 3; attempt++) {
    const job = (await claim(started)).find(({ id }) => id === started.jobs[0])
    asked.push(job!.resource_requirements.memory_bytes)
    const entry = completionOf(started, job!.id, {
      status: 'failed',
      failure_class: 'oom',
      claim_token: job!.claim_token,
      attempt_id: attempt,
      return_code: 137,
    })
    await t.post(`/workflows/${started.workflowId}/batch_complete_jobs`, {
      completions: [{ ...entry, usage: { peak_memory_bytes: 1000 * attempt } }],
    })
  }
  expect(asked).toEqual([2 ** 20, 2 * 2 ** 20, 3 * 2 ** 20])
  const { items } = (await t.get(`/jobs/${started.jobs[0]}/attempts`)).body
  expect(items).toMatchObject([
    { attempt_id: 1, memory_bytes: 2 ** 20, next_memory_bytes: 2 * 2 ** 20, peak_memory_bytes: 1000 },
    { attempt_id: 2, memory_bytes: 2 * 2 ** 20, next_memory_bytes: 3 * 2 ** 20, peak_memory_bytes: 2000 },
    { attempt_id: 3, memory_bytes: 3 * 2 ** 20, next_memory_bytes: 3 * 2 ** 20, peak_memory_bytes: 3000 },
  ])
  // The other job of the same set keeps what it asked for.
  const needs = await t.db.read(() =>
    all<{ memory_bytes: number }>(
      `SELECT r.memory_bytes FROM job j JOIN job_class c ON c.id = j.class_id
       JOIN resource_requirements r ON r.id = c.resource_requirements_id ORDER BY j.id`,
    ),
  )
  expect(needs.map(row => row.memory_bytes)).toEqual([3 * 2 ** 20, 2 ** 20])
})

it('S25 after a time-out the next attempt has more time, also by its own limit', async () => {
  const retry = { ...RETRY, backoffSeconds: 0, runtimeFactor: 3, maxRuntimeSeconds: 100 }
  const started = await startWorkflow(t, workflowOf(independent(1, { retry, timeLimitSeconds: 20 })))
  const [job] = await claim(started)
  await fail(started, job!, { status: 'terminated', failure_class: 'timeout', return_code: 152 })
  expect(await claim(started)).toMatchObject([
    { attempt_id: 2, options: { time_limit_seconds: 60 }, resource_requirements: { runtime_seconds: 100 } },
  ])
})

it('a workflow that is removed takes the records of its retries along', async () => {
  const started = await startWorkflow(t, workflowOf(independent(1, { retry: RETRY })))
  const [job] = await claim(started)
  await fail(started, job!)
  const records = () => t.db.read(() => all<object>('SELECT job_id FROM retried_attempt'))
  expect(await records()).toHaveLength(1)
  expect((await t.del(`/workflows/${started.workflowId}`)).status).toBe(200)
  expect(await records()).toEqual([])
})
