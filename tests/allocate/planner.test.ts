import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createPlanner, type Planner } from '../../runner/allocate/planner.ts'
import type { WireAllocation, WirePlan } from '../../runner/allocate/wire.ts'
import { createAppTransport } from '../../runner/client/app-transport.ts'
import type { Transport } from '../../runner/client/transport.ts'
import { createClient } from '../../runner/client.ts'
import { type TestApp, testApp } from '../helpers/app.ts'
import { seedNode } from '../helpers/seed.ts'
import { independent, jobOf, requirementsOf, startWorkflow, workflowOf } from '../helpers/workflow.ts'
import { configOf } from './given.ts'
import { type ImaginedScheduler, imagineScheduler } from './imagined-scheduler.ts'

let t: TestApp
let scheduler: ImaginedScheduler
let directory: string
let notes: string[]
let workflowId: number
let jobs: number[]

beforeEach(async () => {
  t = await testApp()
  scheduler = imagineScheduler(() => t.clock.now)
  directory = mkdtempSync(join(tmpdir(), 'headrace-allocate-'))
  notes = []
  const long = [requirementsOf('long', { numCpus: 4, runtimeSeconds: 3_000 })]
  const work = independent(3, { resourceRequirements: 0 })
  const blocked = jobOf('blocked', { resourceRequirements: 0, dependsOn: [0, 1, 2] })
  const started = await startWorkflow(t, workflowOf([...work, blocked], { resourceRequirements: long }))
  workflowId = started.workflowId
  jobs = started.jobs
  await t.put(`/compute_nodes/${started.nodeId}`, { is_active: false })
})
afterEach(async () => {
  await t.close()
  rmSync(directory, { recursive: true, force: true })
})

const keepPlan = (fields: object = {}): Promise<WirePlan> =>
  t
    .post(`/workflows/${workflowId}/allocation_plans`, {
      name: 'default',
      config: configOf({ output_dir: directory, cwd: directory, ...fields }),
    })
    .then(reply => reply.body)

function plannerOn(transport: Transport = createAppTransport(t.app), holder = 'me'): Planner {
  return createPlanner({
    client: createClient(transport, { attempts: 1 }),
    workflowId,
    proof: { token: "it's secret" },
    holder,
    leaseSeconds: 60,
    clock: () => t.clock.now,
    note: line => void notes.push(line),
    schedulerOf: () => scheduler,
  })
}

const rows = async (): Promise<WireAllocation[]> => (await t.get(`/workflows/${workflowId}/allocations`)).body.items
const states = async () => (await rows()).map(({ state }) => state)
const planNow = async (): Promise<WirePlan> => (await t.get(`/workflows/${workflowId}/allocation_plans`)).body.items[0]
const finish = async (id: number) => {
  const node = await seedNode(t, workflowId, { is_active: false })
  const result = {
    job_id: id,
    workflow_id: workflowId,
    run_id: 0,
    compute_node_id: node,
    return_code: 0,
    exec_time_minutes: 1,
    completion_time: '2026-01-01T00:01:00Z',
    status: 'completed',
  }
  await t.post(`/workflows/${workflowId}/batch_complete_jobs`, {
    completions: [{ job_id: id, status: 'completed', run_id: 0, result }],
  })
}

test('look() asks for what is ready and not for what is blocked, notes it before and after, and asks once', async () => {
  await keepPlan()
  const planner = plannerOn()
  expect(await planner.look()).toEqual({ ok: true, open: 1, submitted: 1, refused: 0, canceled: 0 })
  expect(scheduler.requests).toMatchObject([{ array: { first: 1, last: 3 }, cores: 4, walltimeSeconds: 3_600 }])
  expect(await rows()).toMatchObject([{ state: 'queued', scheduler_id: '100', width: 3, submitted_at: t.clock.now }])
  for (let k = 0; k < 5; k++) await planner.look()
  expect(scheduler.requests).toHaveLength(1)
})

test('look() puts the token where only its owner can read it, and removes it at the end', async () => {
  await keepPlan()
  const planner = plannerOn()
  await planner.look()
  const { environmentFile: path } = scheduler.requests[0]!
  expect([readFileSync(path!, 'utf8'), statSync(path!).mode & 0o777]).toEqual([
    "export HEADRACE_TOKEN='it'\\''s secret'\n",
    0o600,
  ])
  scheduler.end('100')
  t.clock.now += 10
  await planner.look()
  expect(existsSync(path!)).toBe(false)
})

test('look() gives back queued elements when demand falls, after a while, and leaves those that run', async () => {
  await keepPlan()
  const planner = plannerOn()
  await planner.look()
  scheduler.start('100', 1)
  await finish(jobs[0]!)
  await finish(jobs[1]!)
  t.clock.now += 1_000
  await planner.look()
  expect(scheduler.cancels).toEqual([])
  t.clock.now += 60_000
  await planner.look()
  expect(scheduler.cancels).toEqual([['100', { kind: 'queued' }]])
  await planner.look()
  expect(scheduler.cancels).toHaveLength(1)
  expect((await rows())[0]!.state).toBe('running')
})

test('look() gives up the last elements of an array when some are still needed', async () => {
  await keepPlan()
  const planner = plannerOn()
  await planner.look()
  await finish(jobs[0]!)
  for (const wait of [1_000, 60_000]) {
    t.clock.now += wait
    await planner.look()
  }
  expect(scheduler.cancels).toEqual([['100', { kind: 'elements', indices: [3] }]])
})

test('S45 look() changes nothing and asks for nothing while the scheduler is away', async () => {
  await keepPlan()
  const planner = plannerOn()
  await planner.look()
  scheduler.mood = 'away'
  for (let k = 0; k < 3; k++) {
    t.clock.now += 200_000
    expect(await planner.look()).toMatchObject({ open: 1, submitted: 0 })
  }
  expect(await states()).toEqual(['queued'])
  expect(notes.at(-1)).toContain('connect failure')
})

test('look() notes nothing as submitted or refused on a machine that cannot ask the scheduler', async () => {
  await keepPlan()
  scheduler.mood = 'away'
  for (let k = 0; k < 12; k++) await plannerOn().look()
  expect(await rows()).toEqual([])
  expect((await planNow()).state).toBe('active')
  expect(notes.at(-1)).toContain('Nothing was asked for as the queue cannot be seen')
})

test('S36 look() notes a refusal with its words and leaves nothing behind that was not submitted', async () => {
  await keepPlan()
  scheduler.mood = 'refuses'
  const planner = plannerOn()
  expect(await planner.look()).toMatchObject({ open: 0, submitted: 0, refused: 1 })
  expect(await rows()).toMatchObject([{ state: 'refused', message: 'Invalid account' }])
  expect((await t.get(`/scheduled_compute_nodes?workflow_id=${workflowId}`)).body.items).toEqual([])
  scheduler.mood = 'well'
  expect(await planner.look()).toMatchObject({ submitted: 1 })
})

test('look() asks the next queue in the same pass when one refuses', async () => {
  await keepPlan({ queues: [{ name: 'short' }, { name: 'long' }] })
  scheduler.refusing.add('short')
  expect(await plannerOn().look()).toMatchObject({ submitted: 1, refused: 0 })
  expect(await rows()).toMatchObject([
    { queue: 'short', state: 'refused' },
    { queue: 'long', state: 'queued' },
  ])
})

test('look() pauses the plan after ten refusals, and goes on when it is resumed', async () => {
  await keepPlan()
  scheduler.mood = 'refuses'
  const planner = plannerOn()
  for (let k = 0; k < 12; k++) {
    t.clock.now += 30_000
    await planner.look()
  }
  expect(await states()).toHaveLength(10)
  const paused = await planNow()
  expect(paused).toMatchObject({ state: 'paused', pauses: { '': { message: 'Invalid account' } } })
  scheduler.mood = 'well'
  t.clock.now += 30_000
  await t.put(`/workflows/${workflowId}/allocation_plans/${paused.id}`, { state: 'active' })
  expect(await planner.look()).toMatchObject({ submitted: 1 })
})

test('look() pauses after three allocations that died before a runner came, with the end of their output', async () => {
  await keepPlan()
  const planner = plannerOn()
  for (let k = 0; k < 4; k++) {
    await planner.look()
    const id = String(100 + k)
    const request = scheduler.requests[k]
    if (request === undefined) break
    mkdirSync(request.directory, { recursive: true })
    writeFileSync(join(request.directory, 'out.1'), 'starting\nnode: command not found\n')
    scheduler.end(id)
    t.clock.now += 30_000
  }
  expect(await states()).toEqual(['ended', 'ended', 'ended'])
  expect((await planNow()).pauses).toMatchObject({ '': { message: 'starting\nnode: command not found' } })
})

test('look() cancels what can never start, and pauses its queue', async () => {
  await keepPlan()
  const planner = plannerOn()
  await planner.look()
  for (const element of scheduler.allocations[0]!.elements) element.stuck = 'PartitionTimeLimit'
  t.clock.now += 601_000
  await planner.look()
  expect(scheduler.cancels).toEqual([['100', { kind: 'queued' }]])
  expect((await planNow()).pauses).toMatchObject({ '': { message: 'QUEUED: PartitionTimeLimit' } })
})

test('look() adopts a submission that nobody heard the answer to, and never doubles it', async () => {
  await keepPlan()
  scheduler.mood = 'lost'
  await plannerOn().look()
  expect(await rows()).toMatchObject([{ state: 'submitting', message: 'Socket timed out' }])
  scheduler.mood = 'well'
  // Another process, as after a restart; the duty has lapsed.
  t.clock.now += 61_000
  expect(await plannerOn(undefined, 'another').look()).toMatchObject({ open: 1, submitted: 0 })
  expect(await rows()).toMatchObject([{ state: 'queued', scheduler_id: '100' }])
  expect(scheduler.requests).toHaveLength(1)
})

test.each([1, 2, 3, 4, 5, 6])(
  'a process that dies at request %i leaves nothing doubled and nothing forgotten',
  async dies => {
    await keepPlan()
    const whole = createAppTransport(t.app)
    let count = 0
    const dying: Transport = {
      ...whole,
      // The request has its effect, and nobody hears of it, as when the process is killed.
      async send(request) {
        const reply = await whole.send(request)
        if (++count >= dies) throw new Error('killed')
        return reply
      },
    }
    await plannerOn(dying).look()
    t.clock.now += 121_000
    const next = plannerOn(undefined, 'another')
    await next.look()
    t.clock.now += 121_000
    await next.look()
    expect(scheduler.requests).toHaveLength(1)
    expect((await states()).filter(state => state === 'queued')).toHaveLength(1)
  },
)

test('two processes see to a plan one at a time, and the second takes over', async () => {
  await keepPlan()
  const [first, second] = [plannerOn(undefined, 'first'), plannerOn(undefined, 'second')]
  await Promise.all([first.look(), second.look()])
  expect(scheduler.requests).toHaveLength(1)
  expect(notes).toContainEqual(expect.stringContaining('Another process sees to plan default'))
  // Whoever looks on waits for what is open all the same.
  expect([await first.look(), await second.look()]).toMatchObject([{ open: 1 }, { open: 1 }])
  await first.leave()
  await second.leave()
  scheduler.end('100')
  t.clock.now += 10
  expect(await second.look()).toMatchObject({ submitted: 1 })
})

test('look() gives back what a runner held whose element is gone, at once and without a retry spent', async () => {
  await keepPlan()
  const planner = plannerOn()
  await planner.look()
  scheduler.start('100')
  const { name } = (await rows())[0]!
  const node = await seedNode(t, workflowId, { is_active: true, scheduler: { allocation: name, worker: 2 } })
  const offer = { num_cpus: 4, memory_gb: 8, num_gpus: 0, num_nodes: 1, compute_node_id: node, start: true }
  const claim = await t.post(`/workflows/${workflowId}/claim_jobs_based_on_resources/4`, {
    ...offer,
    lease_seconds: 600,
  })
  expect(claim.body.jobs).toHaveLength(1)
  await planner.look()
  expect((await t.get(`/jobs/${claim.body.jobs[0].id}`)).body.status).toBe('running')
  scheduler.allocations[0]!.elements[1]!.state = 'gone'
  t.clock.now += 1_000
  await planner.look()
  expect((await t.get(`/jobs/${claim.body.jobs[0].id}`)).body).toMatchObject({ status: 'ready', attempt_id: 2 })
  expect((await t.get(`/compute_nodes/${node}`)).body.is_active).toBe(false)
})

test('look() takes back what a stopped plan has waiting, and asks for nothing more', async () => {
  const plan = await keepPlan()
  const planner = plannerOn()
  await planner.look()
  await t.put(`/workflows/${workflowId}/allocation_plans/${plan.id}`, { state: 'stopped' })
  await planner.look()
  expect(scheduler.cancels).toEqual([['100', { kind: 'queued' }]])
  t.clock.now += 10
  expect(await planner.look()).toMatchObject({ open: 0, submitted: 0 })
  expect(await states()).toEqual(['canceled'])
})

test('look() of a workflow that is over takes back at once what waits, and leaves the plan as it is', async () => {
  await keepPlan()
  const planner = plannerOn()
  await planner.look()
  for (const id of jobs.slice(0, 3)) await finish(id)
  await finish(jobs[3]!)
  await planner.look(true)
  expect(scheduler.cancels).toEqual([['100', { kind: 'queued' }]])
  expect((await planNow()).state).toBe('active')
})

test('look() leaves a paused plan’s requests alone, and a plan it cannot read', async () => {
  const plan = await keepPlan()
  const planner = plannerOn()
  await planner.look()
  await t.put(`/workflows/${workflowId}/allocation_plans/${plan.id}`, { state: 'paused' })
  t.clock.now += 300_000
  await planner.look()
  expect([scheduler.cancels, await states()]).toEqual([[], ['queued']])
  await t.post(`/workflows/${workflowId}/allocation_plans`, { name: 'odd', config: { scheduler: 'slurm' } })
  expect(await planner.look()).toMatchObject({ ok: true })
  expect(notes).toContainEqual(expect.stringContaining('Plan odd is left alone'))
})

test('look() gives the refusal when the control plane does not answer', async () => {
  const gone: Transport = { send: () => Promise.reject(new Error('connect ECONNREFUSED')), close: async () => {} }
  expect(await plannerOn(gone).look()).toMatchObject({ ok: false, message: 'connect ECONNREFUSED' })
  expect(readdirSync(directory)).toEqual([])
})

test('look() keeps plans with the longest names apart', async () => {
  const names = ['a', 'b'].map(last => `${'x'.repeat(63)}${last}`)
  for (const name of names)
    await t.post(`/workflows/${workflowId}/allocation_plans`, { name, config: configOf({ output_dir: directory }) })
  const [one, other] = names.map(only => plannerOn(undefined, only))
  expect(await one!.look()).toMatchObject({ ok: true })
  expect(await other!.look()).toMatchObject({ ok: true })
  const { items } = (await t.get(`/workflows/${workflowId}/duties`)).body
  expect(items.map(({ name }: { name: string }) => name)).toEqual(names.map(name => `allocate.${name}`))
})
