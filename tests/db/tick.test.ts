import { afterEach, beforeEach, expect, it } from 'vitest'
import { createWorkflow } from '../../db/create-workflow.ts'
import { initializeWorkflow } from '../../db/initialize.ts'
import { insertTask } from '../../db/tasks.ts'
import { healAfterStart, tick } from '../../db/tick.ts'
import { all, type Db, run } from '../../db/unit.ts'
import { type TestApp, testApp } from '../helpers/app.ts'
import { completionOf } from '../helpers/completion.ts'
import { assertInvariants } from '../helpers/invariants.ts'
import { chain, graphOf, independent, startWorkflow, statusesOf, workflowOf } from '../helpers/workflow.ts'

let t: TestApp
beforeEach(async () => {
  t = await testApp()
})
afterEach(async () => {
  await assertInvariants(t.db)
  await t.close()
})

const MINUTES = 60_000
/** More than one transaction's worth of jobs. */
const LARGE = 12_000

/** A database that dies after some write transactions: what the next process finds. */
function dyingAfter(db: Db, writes: number): Db {
  let left = writes
  return { ...db, read: db.read, write: unit => (left-- > 0 ? db.write(unit) : Promise.reject(new Error('died'))) }
}

const create = (db: Db, jobs = independent(LARGE)) =>
  createWorkflow(db, workflowOf(jobs), { user: 'u', now: t.clock.now })
const rowsIn = async (table: string) =>
  (await t.db.read(() => all<{ n: number }>(`SELECT count(*) AS n FROM ${table}`)))[0]!.n
const stateOf = async (id: number) =>
  (await t.db.read(() => all<{ state: string }>('SELECT state FROM workflow WHERE id = ?', id)))[0]?.state

it('tick() removes a half-made workflow after ten minutes, and not before', async () => {
  await expect(create(dyingAfter(t.db, 3))).rejects.toThrow('died')
  expect(await rowsIn('job')).toBeGreaterThan(0)
  expect((await t.get('/workflows')).body.items).toEqual([])
  await tick(t.db, t.clock.now + 10 * MINUTES)
  expect(await rowsIn('workflow')).toBe(1)
  await tick(t.db, t.clock.now + 10 * MINUTES + 1)
  for (const table of ['workflow', 'job', 'job_text', 'job_class', 'resource_requirements'])
    expect(await rowsIn(table), table).toBe(0)
})

it('healAfterStart() does not wait: whatever is in pieces was left by an earlier process', async () => {
  await expect(create(dyingAfter(t.db, 3))).rejects.toThrow('died')
  await healAfterStart(t.db, t.clock.now)
  expect(await rowsIn('workflow')).toBe(0)
})

it('tick() goes on with a deletion that was cut short', async () => {
  const id = await create(t.db)
  await t.db.write(() => run(`UPDATE workflow SET state = 'deleting', state_since = ? WHERE id = ?`, t.clock.now, id))
  await tick(t.db, t.clock.now + 11 * MINUTES)
  expect([await rowsIn('workflow'), await rowsIn('job')]).toEqual([0, 0])
})

it('tick() takes jobs back whose leases have lapsed though what a crash has left cannot be removed', async () => {
  const { workflowId, nodeId } = await startWorkflow(t, workflowOf(independent(1)))
  const claim = { num_cpus: 1, memory_gb: 1, num_gpus: 0, num_nodes: 1, compute_node_id: nodeId, lease_seconds: 60 }
  await t.post(`/workflows/${workflowId}/claim_jobs_based_on_resources/1`, claim)
  expect(await statusesOf(t, workflowId)).toEqual(['pending'])
  const left = await create(t.db, independent(1))
  await t.db.write(() => run(`UPDATE workflow SET state = 'deleting', state_since = ? WHERE id = ?`, t.clock.now, left))
  t.clock.now += 11 * MINUTES
  await expect(tick(dyingAfter(t.db, 1), t.clock.now)).rejects.toThrow('died')
  expect(await statusesOf(t, workflowId)).toEqual(['ready'])
})

/** Triples: the first of each is complete, so only what hangs below an uninitialized one is done again by a partial initialise. */
const triples = Array.from({ length: LARGE / 3 }, (_, k) => [[], [3 * k], [3 * k + 1]]).flat()

it.each([1, 2, 3, 5])(
  'tick() finishes an initialise that died after %i transactions as if it had not',
  async writes => {
    const id = await create(t.db, graphOf(triples))
    const options = { onlyUninitialized: false, now: t.clock.now }
    await expect(initializeWorkflow(dyingAfter(t.db, writes), id, options)).rejects.toThrow('died')
    expect(await stateOf(id)).toBe('initializing')
    expect((await t.post(`/workflows/${id}/claim_next_jobs`)).body.jobs).toEqual([])
    await tick(t.db, t.clock.now + 11 * MINUTES)
    expect(await stateOf(id)).toBe('live')
    expect(await statusesOf(t, id)).toEqual(triples.map(list => (list.length === 0 ? 'ready' : 'blocked')))
  },
)

it.each([1, 2, 3, 4])(
  'tick() finishes a partial initialise that died after %i transactions without touching others',
  async writes => {
    const id = await create(t.db, graphOf(triples))
    await t.db.write(() =>
      run(`UPDATE job SET status = CASE WHEN id % 6 < 3 THEN 5 ELSE status END WHERE workflow_id = ?`, id),
    )
    const before = await statusesOf(t, id)
    const options = { onlyUninitialized: true, now: t.clock.now }
    const rightly = await startedCopy(before)
    await expect(initializeWorkflow(dyingAfter(t.db, writes), id, options)).rejects.toThrow('died')
    await healAfterStart(t.db, t.clock.now)
    expect(await statusesOf(t, id)).toEqual(rightly)
  },
)

/** What a partial initialise makes of these statuses when nothing happens to it. */
async function startedCopy(before: readonly string[]): Promise<string[]> {
  const id = await create(t.db, graphOf(triples))
  const completed = JSON.stringify(before.flatMap((status, k) => (status === 'completed' ? [k] : [])))
  await t.db.write(() =>
    run(
      `UPDATE job SET status = 5 WHERE workflow_id = ?1
         AND id - (SELECT min(id) FROM job WHERE workflow_id = ?1) IN (SELECT value FROM json_each(?2))`,
      id,
      completed,
    ),
  )
  await initializeWorkflow(t.db, id, { onlyUninitialized: true, now: t.clock.now })
  return statusesOf(t, id)
}

it('tick() ends a reset that was cut short as a reset', async () => {
  const { workflowId } = await startWorkflow(t, workflowOf(independent(LARGE)))
  await t.db.write(() =>
    run(`UPDATE workflow SET state = 'initializing', state_work = 'reset', state_since = 0 WHERE id = ?`, workflowId),
  )
  await tick(t.db, t.clock.now)
  expect(new Set(await statusesOf(t, workflowId))).toEqual(new Set(['uninitialized']))
  expect(await stateOf(workflowId)).toBe('live')
})

it('jobs of a workflow that is being initialized take no completions: 503, and the resend is accepted', async () => {
  const started = await startWorkflow(t, workflowOf(chain(2)))
  const setState = (state: string) =>
    t.db.write(() => run('UPDATE workflow SET state = ? WHERE id = ?', state, started.workflowId))
  await setState('initializing')
  const send = () =>
    t.post(`/workflows/${started.workflowId}/batch_complete_jobs`, {
      completions: [completionOf(started, started.jobs[0]!)],
    })
  const refused = await send()
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5'])
  expect((await t.post(`/workflows/${started.workflowId}/initialize_jobs`)).status).toBe(503)
  await setState('live')
  expect((await send()).body.completed).toEqual([started.jobs[0]])
})

it('tick() forgets claim ids after ten minutes', async () => {
  const { workflowId } = await startWorkflow(t, workflowOf(independent(1)))
  await t.post(`/workflows/${workflowId}/claim_next_jobs`, { claim_id: 'claim-0001' })
  await tick(t.db, t.clock.now + 10 * MINUTES)
  expect(await rowsIn('claim')).toBe(1)
  await tick(t.db, t.clock.now + 10 * MINUTES + 1)
  expect(await rowsIn('claim')).toBe(0)
})

it('tick() ends a task that a server left running ten minutes ago, and not before', async () => {
  const { workflowId } = await startWorkflow(t, workflowOf(independent(1)))
  await t.db.write(() => insertTask(workflowId, 'initialize_jobs', '{}', t.clock.now))
  const active = async () => (await t.get(`/workflows/${workflowId}/active_task`)).body.task
  await tick(t.db, t.clock.now + 10 * MINUTES)
  expect(await active()).toMatchObject({ status: 'running' })
  await tick(t.db, t.clock.now + 10 * MINUTES + 1)
  expect(await active()).toBeNull()
})

it('tick() forgets receipts of writes after ten minutes', async () => {
  for (const age of [0, 590, 610, 6_000])
    await t.db.write(() => run(`INSERT INTO write_receipt VALUES (?, unixepoch() - ?)`, `age ${age}`, age))
  await tick(t.db, t.clock.now)
  const kept = await t.db.read(() => all<{ id: string }>(`SELECT id FROM write_receipt WHERE id LIKE 'age %'`))
  expect(kept.map(row => row.id).sort()).toEqual(['age 0', 'age 590'])
})

it('tick() with nothing to do begins no write transaction', async () => {
  await startWorkflow(t, workflowOf(independent(3)))
  const before = t.db.writeTransactions
  await tick(t.db, t.clock.now + 60 * MINUTES)
  await healAfterStart(t.db, t.clock.now)
  expect(t.db.writeTransactions).toBe(before)
})
