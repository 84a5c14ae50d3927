import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createAppTransport } from '../../runner/client/app-transport.ts'
import { type Client, createClient } from '../../runner/client.ts'
import { cancelRun } from '../../runner/pipe/cancel.ts'
import { placesIn } from '../../runner/pipe/directory.ts'
import { writeFrozen } from '../../runner/pipe/frozen.ts'
import { observationOf } from '../../runner/pipe/look.ts'
import { readMembers } from '../../runner/pipe/members.ts'
import { type PipeReport, reconcilePipeRuns } from '../../runner/pipe/reconcile.ts'
import { formatResult } from '../../runner/pipe/result-file.ts'
import { throttleRun } from '../../runner/pipe/throttle.ts'
import type { PipeRun } from '../../runner/pipe/wire.ts'
import type { ControlOutcome, Scheduler } from '../../runner/schedulers/types.ts'
import type { CompletionEntry } from '../../runner/wire.ts'
import { type TestApp, testApp } from '../helpers/app.ts'
import { assertInvariants } from '../helpers/invariants.ts'
import { resultOf } from '../helpers/seed.ts'
import { independent } from '../helpers/workflow.ts'
import { claimFor, endJobs, type Staged, seedElement, stageRun } from './helpers.ts'
import { type ScriptedScheduler, scriptedScheduler } from './scripted-scheduler.ts'

let t: TestApp
let client: Client
let scheduler: ScriptedScheduler
let directory: string
let notes: string[]

beforeEach(async () => {
  t = await testApp()
  client = createClient(createAppTransport(t.app))
  scheduler = scriptedScheduler()
  directory = mkdtempSync(join(tmpdir(), 'headrace-pipe-'))
  notes = []
})
afterEach(async () => {
  await assertInvariants(t.db)
  await t.close()
  rmSync(directory, { recursive: true, force: true })
})

const SPEC = {
  url: 'http://login1:8080/v1',
  output_dir: '/data/headrace_output',
  program: ['/opt/node', '/opt/runner.mjs'],
  version: '1',
  durability: 'process',
  idle_exit_seconds: 90,
  prologue: ['module load orca'],
  directives: [],
}

async function stage(n = 3, staging: object = {}): Promise<Staged> {
  const spec = { ...SPEC, cwd: directory }
  const staged = await stageRun(t, independent(n), { staging: { directory, spec, ...staging } })
  const run = await show(staged.runId)
  writeFrozen(run, await readMembers(client, run.id))
  return staged
}

async function show(runId: number): Promise<PipeRun> {
  return (await t.get(`/pipe_runs/${runId}`)).body
}

const look = (workflowId: number, asked = false): Promise<PipeReport[]> =>
  reconcilePipeRuns(
    { client, proof: {}, note: line => void notes.push(line), openScheduler: () => scheduler },
    workflowId,
    { asked },
  )

/** The array is over, and enough listings have said so. */
async function loseArrays(workflowId: number): Promise<void> {
  scheduler.alive.clear()
  for (let k = 0; k < 2; k++) {
    t.clock.now += 5_000
    await look(workflowId)
  }
}

async function endAll(staged: Staged, status = 'completed'): Promise<void> {
  const element = await seedElement(t, staged)
  await endJobs(t, staged.workflowId, element, await claimFor(t, staged.workflowId, element), status)
}

describe('reconcilePipeRuns()', () => {
  it('submits one array whose elements all run the same command, and records it', async () => {
    const { workflowId, runId } = await stage(12, { throttle: 4 })
    await look(workflowId)
    expect(scheduler.submitted).toHaveLength(1)
    expect(scheduler.submitted[0]).toMatchObject({
      command: `/opt/node /opt/runner.mjs pipe work ${runId} --url http://login1:8080/v1`,
      cwd: directory,
      array: { first: 1, last: 12, throttle: 4 },
      walltimeSeconds: 3600,
      cores: 1,
      site: { prologue: ['module load orca'] },
    })
    expect(await show(runId)).toMatchObject({ state: 'submitted', submissions: [{ scheduler_id: '100', width: 12 }] })
  })

  it('S31 asks for a plain job where one element is enough', async () => {
    const { workflowId } = await stage(1)
    await look(workflowId)
    expect(scheduler.submitted[0]!.array).toBeUndefined()
  })

  it('W11 adopts the array of a process that was ended between submitting and recording', async () => {
    const { workflowId, runId } = await stage()
    scheduler.answers.push('lost_answer')
    await look(workflowId)
    expect(await show(runId)).toMatchObject({ state: 'staged', submissions: [{ state: 'intended' }] })
    t.clock.now += 30_000
    await look(workflowId)
    expect(scheduler.submitted).toHaveLength(1)
    expect(await show(runId)).toMatchObject({ state: 'submitted', submissions: [{ scheduler_id: '100' }] })
  })

  it('W11 submits, once, what was decided by a process that was ended before it could submit', async () => {
    const { workflowId, runId } = await stage()
    await t.post(`/pipe_runs/${runId}/observe`, { listing_age_ms: 0, submissions: [] })
    for (let k = 0; k < 10; k++) {
      t.clock.now += 30_000
      await look(workflowId)
    }
    expect(scheduler.submitted).toHaveLength(1)
    expect((await show(runId)).submissions).toHaveLength(1)
  })

  it('two who look at once submit one array', async () => {
    const { workflowId, runId } = await stage()
    await Promise.all([look(workflowId), look(workflowId), look(workflowId)])
    expect(scheduler.submitted).toHaveLength(1)
    expect((await show(runId)).submissions).toHaveLength(1)
  })

  it('S36 leaves a refused run staged with the words, and submits it when asked again', async () => {
    const { workflowId, runId } = await stage()
    scheduler.answers.push('refused')
    const [report] = await look(workflowId)
    expect(report!.submitted).toMatchObject({ kind: 'refused' })
    expect(await show(runId)).toMatchObject({
      state: 'staged',
      submissions: [{ state: 'refused', message: expect.stringContaining('nosuch') }],
    })
    await look(workflowId)
    expect(scheduler.submitted).toHaveLength(0)
    await look(workflowId, true)
    expect(scheduler.submitted).toHaveLength(1)
  })

  it('W6 does nothing while the scheduler does not answer', async () => {
    const { workflowId, runId } = await stage()
    await look(workflowId)
    scheduler.broken.push(...Array.from({ length: 5 }, () => 'unknown' as const))
    scheduler.alive.clear()
    for (let k = 0; k < 5; k++) {
      t.clock.now += 120_000
      await look(workflowId)
    }
    expect(scheduler.submitted).toHaveLength(1)
    expect(await show(runId)).toMatchObject({ state: 'submitted', strikes: 0, submissions: [{ liveness: 'unknown' }] })
  })

  it('S43 submits as many elements as there are jobs left when an array is lost', async () => {
    const staged = await stage(8)
    await look(staged.workflowId)
    const element = await seedElement(t, staged)
    const jobs = await claimFor(t, staged.workflowId, element, 5)
    await endJobs(t, staged.workflowId, element, jobs)
    await t.put(`/compute_nodes/${element}`, { is_active: false })
    await loseArrays(staged.workflowId)
    t.clock.now += 120_000
    await look(staged.workflowId)
    await look(staged.workflowId)
    expect(scheduler.submitted.map(request => request.array?.last)).toEqual([8, 3])
  })

  it('S48 fails a run after three looks in a row that threw, with its results told; other runs go on', async () => {
    const staged = await stage(2)
    await look(staged.workflowId)
    const element = await seedElement(t, staged)
    const [job] = await claimFor(t, staged.workflowId, element)
    writeResult(staged, job!, 'completed')
    const other = await stageRun(t, independent(2), {
      staging: { directory: join(directory, 'other'), spec: { ...SPEC, cwd: directory } },
    })
    for (const [trouble, strikes] of [
      ['throws', 1],
      ['throws', 2],
      [undefined, 0],
      ['throws', 1],
      ['throws', 2],
    ] as const) {
      if (trouble !== undefined) scheduler.broken.push(trouble)
      await look(staged.workflowId)
      expect(await show(staged.runId)).toMatchObject({ state: 'active', strikes })
    }
    scheduler.broken.push('throws')
    await look(staged.workflowId)
    expect(await show(staged.runId)).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining('no space left on device'),
      members: { by_status: { completed: 1 } },
    })
    await look(other.workflowId)
    expect((await show(other.runId)).state).toBe('submitted')
  })

  it('S49 counts a run that is over, asks nobody and writes nothing', async () => {
    const staged = await stage(2)
    await endAll(staged)
    await look(staged.workflowId)
    expect((await show(staged.runId)).state).toBe('completed')
    const before = { run: await show(staged.runId), writes: t.db.writeTransactions }
    scheduler.broken.push('throws')
    const [report] = await look(staged.workflowId)
    expect(report).toMatchObject({ run: { state: 'completed' }, decision: undefined, error: undefined })
    expect({ run: await show(staged.runId), writes: t.db.writeTransactions }).toEqual(before)
  })

  it('S50 keeps a run open one of whose results cannot be read, and ends it when that is mended', async () => {
    const staged = await stage(10)
    await endAll(staged)
    const torn = placesIn(directory).result(staged.jobs[4]!, 1)
    mkdirSync(dirname(torn), { recursive: true })
    writeFileSync(torn, '{"version": 1, "completion": {"job_id"')
    await look(staged.workflowId)
    await look(staged.workflowId)
    expect(await show(staged.runId)).toMatchObject({
      state: 'ingesting',
      unreadable: [`jobs/job_${staged.jobs[4]}/attempt_1/result.json`],
    })
    rmSync(torn)
    await look(staged.workflowId)
    expect((await show(staged.runId)).state).toBe('completed')
  })

  it('S51 tells every result but the bad one, tells it again without effect, and takes the post step once', async () => {
    const staged = await stage(10, { post_step: `echo "$HEADRACE_PIPE_COMPLETED" >> ${directory}/post` })
    await look(staged.workflowId)
    const element = await seedElement(t, staged)
    const jobs = await claimFor(t, staged.workflowId, element)
    for (const job of jobs) writeResult(staged, job, 'completed')
    const bad = placesIn(directory).result(jobs[0]!.id, 1)
    writeFileSync(
      bad,
      formatResult({ ...result(staged, jobs[0]!, 'completed'), version: 1 }).replace('"run_id": 0', '"run_id": "x"'),
    )
    await t.put(`/compute_nodes/${element}`, { is_active: false })
    await loseArrays(staged.workflowId)
    const first = await show(staged.runId)
    expect(first.members.by_status).toMatchObject({ completed: 9, running: 1 })
    const again = await look(staged.workflowId)
    expect(again[0]!.ingestion).toMatchObject({ results: 10, accepted: 0, known: 9 })
    expect(again[0]!.ingestion!.refused.map(one => one.job_id)).toEqual([jobs[0]!.id])
    rmSync(bad)
    await endJobs(t, staged.workflowId, element, jobs.slice(0, 1))
    await look(staged.workflowId)
    await Promise.all([look(staged.workflowId), look(staged.workflowId)])
    expect(await show(staged.runId)).toMatchObject({ state: 'completed', post_return_code: 0 })
    const results = await t.get(`/results?workflow_id=${staged.workflowId}`)
    expect(results.body.total_count).toBe(10)
  })
})

describe('cancelRun()', () => {
  it('takes queued elements away before those that run, and does nothing the second time', async () => {
    const { workflowId, runId } = await stage()
    await look(workflowId)
    const first = await cancelRun(client, scheduler, runId)
    expect(first).toMatchObject({ state: 'canceled', was_open: true, canceled_jobs: 3, troubles: [] })
    expect(scheduler.canceled).toEqual([
      { id: '100', which: 'queued' },
      { id: '100', which: 'all' },
    ])
    expect(await cancelRun(client, scheduler, runId)).toMatchObject({ was_open: false, canceled_jobs: 0 })
  })
})

describe('observationOf()', () => {
  it('W7, S46 takes 1234 for no element of 123, and knows an element whatever its brackets', async () => {
    const run = { submissions: [{ id: 5, state: 'submitted', scheduler_id: '123' }] } as unknown as PipeRun
    const element = (allocation: string) => ({
      allocation,
      state: 'running' as const,
      word: 'R',
      stuck: false,
      name: 'n',
    })
    const listing = (allocation: string) => ({
      kind: 'listed' as const,
      startedAtMs: 0,
      elements: [element(allocation)],
      gone: new Set(allocation === '123' ? [] : ['123']),
    })
    expect(observationOf(run, listing('1234'), 0).submissions).toEqual([
      { id: 5, verdict: 'gone', queued: 0, running: 0 },
    ])
    expect(observationOf(run, listing('123'), 0).submissions).toEqual([
      { id: 5, verdict: 'running', queued: 0, running: 1 },
    ])
  })
})

function result(
  { workflowId, runId }: Staged,
  job: { id: number; claim_token: string },
  status: 'completed' | 'failed',
) {
  const completion = {
    job_id: job.id,
    status,
    run_id: 0,
    claim_token: job.claim_token,
    result: resultOf(workflowId, job.id, 1, { status, attempt_id: 1 }),
    usage: {},
    phase_times: { exited: 1 },
  } as unknown as CompletionEntry
  return { pipe_run_id: runId, worker: 1, host: 'n1', completion }
}

function writeResult(staged: Staged, job: { id: number; claim_token: string }, status: 'completed' | 'failed'): void {
  const path = placesIn(directory).result(job.id, 1)
  mkdirSync(dirname(path), { recursive: true })
  const told = result(staged, job, status)
  // The node that ran it, as its runner says.
  told.completion.result.compute_node_id = staged.workflowId
  writeFileSync(path, formatResult({ version: 1, ...told }))
}

describe('throttleRun()', () => {
  it('S32 stores the number, then tells the scheduler for every array it has', async () => {
    const { workflowId, runId } = await stage(20, { throttle: 2 })
    await look(workflowId)
    const done = await throttleRun(client, scheduler, runId, 6)
    expect(done).toMatchObject({ run: { throttle: 6 }, changed: 1, troubles: [] })
    expect(scheduler.throttles).toEqual([{ id: '100', most: 6 }])
  })

  it('tells what the scheduler did not do, but not that it has no throttle, and leaves what is over alone', async () => {
    const { workflowId, runId } = await stage(20)
    await look(workflowId)
    const answering = (outcome: ControlOutcome): Scheduler => ({ ...scheduler, setThrottle: async () => outcome })
    const refusing = answering({ kind: 'refused', message: 'Access denied' })
    expect((await throttleRun(client, refusing, runId, 3)).troubles).toEqual(['slurm 100: refused, Access denied'])
    const without = answering({ kind: 'unsupported', message: 'there is none' })
    expect(await throttleRun(client, without, runId, 3)).toMatchObject({ changed: 0, troubles: [] })
    await cancelRun(client, scheduler, runId)
    await expect(throttleRun(client, scheduler, runId, 3)).rejects.toThrow(/change the throttle of/)
  })
})
