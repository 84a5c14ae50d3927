import { afterEach, beforeEach, expect, it } from 'vitest'
import { toCompletion } from '../../api/contract/completion.ts'
import { completeJobs } from '../../db/completions.ts'
import { drainFrontier } from '../../db/frontier.ts'
import { tick } from '../../db/tick.ts'
import { all, one, run } from '../../db/unit.ts'
import { type TestApp, testApp } from '../helpers/app.ts'
import { OVER_SQLD } from '../helpers/back-end.ts'
import { completionOf } from '../helpers/completion.ts'
import { assertInvariants } from '../helpers/invariants.ts'
import { chain, fan, graphOf, type Started, startWorkflow, statusesOf, workflowOf } from '../helpers/workflow.ts'

let t: TestApp
beforeEach(async () => {
  t = await testApp()
})
afterEach(async () => {
  await assertInvariants(t.db)
  await t.close()
})

const fail = (started: Started, jobId: number) =>
  t.post(`/workflows/${started.workflowId}/batch_complete_jobs`, {
    completions: [completionOf(started, jobId, { status: 'failed' })],
  })

/** Completes without the request that would go on with what is left: as a crash right after the commit. */
async function crashAfter(started: Started, jobId: number, status: string): Promise<void> {
  const completion = toCompletion(completionOf(started, jobId, { status }))
  const done = await t.db.write(() => completeJobs(started.workflowId, [completion], { now: t.clock.now }))
  expect(done).toMatchObject({ verdicts: [{ code: 'accepted' }], leftOver: true })
  await assertInvariants(t.db, 'while the frontier is open')
}

const counts = async (started: Started): Promise<Record<string, number>> => {
  const found: Record<string, number> = {}
  for (const status of await statusesOf(t, started.workflowId)) found[status] = (found[status] ?? 0) + 1
  return found
}

it('S68 the failed head of a chain of five takes the rest along in its own transaction', async () => {
  const started = await startWorkflow(t, workflowOf(chain(5)))
  const before = t.db.writeTransactions
  await fail(started, started.jobs[0]!)
  expect(t.db.writeTransactions).toBe(before + 1)
  expect(await statusesOf(t, started.workflowId)).toEqual(['failed', 'canceled', 'canceled', 'canceled', 'canceled'])
  const events = await t.db.read(() =>
    all<{ n: number }>(`SELECT count(*) AS n FROM stream_event WHERE type = 'job_canceled'`),
  )
  expect(events).toEqual([{ n: 4 }])
})

it('S68 without cancel-on-failure the next one runs, and is decided only when all it waits for has ended', async () => {
  const started = await startWorkflow(t, workflowOf(chain(5, { cancelOnBlockingJobFailure: false })))
  await fail(started, started.jobs[0]!)
  expect(await statusesOf(t, started.workflowId)).toEqual(['failed', 'ready', 'blocked', 'blocked', 'blocked'])

  const join = await startWorkflow(t, workflowOf(graphOf([[], [], [0, 1]])))
  await fail(join, join.jobs[0]!)
  expect(await statusesOf(t, join.workflowId)).toEqual(['failed', 'ready', 'blocked'])
  await t.post(`/workflows/${join.workflowId}/batch_complete_jobs`, {
    completions: [completionOf(join, join.jobs[1]!)],
  })
  expect(await statusesOf(t, join.workflowId)).toEqual(['failed', 'completed', 'canceled'])
})

/** Each level of a chain is a round trip where the database is a server. */
const LONG = OVER_SQLD ? 3_000 : 100_000

it(`S68 a chain of ${LONG} is canceled whole, in pieces between which other writers come to their turn`, async () => {
  const started = await startWorkflow(t, workflowOf(chain(LONG)))
  const before = t.db.writeTransactions
  let done = false
  const failing = fail(started, started.jobs[0]!).finally(() => {
    done = true
  })
  let others = 0
  while (!done) {
    await t.db.write(() => run('UPDATE workflow SET description = ? WHERE id = ?', `${others}`, started.workflowId))
    others++
  }
  expect((await failing).status).toBe(200)
  expect(await counts(started)).toEqual({ failed: 1, canceled: LONG - 1 })
  expect(t.db.writeTransactions - before).toBeGreaterThan(100)
  expect(others).toBeGreaterThan(100)
}, 120_000)

it('S68 a crash in the middle: the database opened again is healed by tick', async () => {
  const length = OVER_SQLD ? 600 : 2_000
  const started = await startWorkflow(t, workflowOf(chain(length)))
  await crashAfter(started, started.jobs[0]!, 'failed')
  // A second connection stands for the next process; the first one never goes on.
  const reopened = t.reopen()
  await tick(reopened, t.clock.now)
  await reopened.close()
  expect(await counts(started)).toEqual({ failed: 1, canceled: length - 1 })
})

it.each([
  ['completed', { completed: 1, ready: 6_000, blocked: 1 }],
  ['failed', { failed: 1, canceled: 6_001 }],
])('a %s job with 6,000 dependants tells them piece by piece', async (status, expected) => {
  const started = await startWorkflow(t, workflowOf(fan(6_000)))
  await crashAfter(started, started.jobs[0]!, status)
  expect(await counts(started)).toMatchObject({ blocked: 6_001 })
  await drainFrontier(t.db, () => t.clock.now)
  expect(await counts(started)).toEqual(expected)
})

it('canceled jobs that share very many dependants do not tell them all in one transaction', async () => {
  const width = 120
  const middle = Array.from({ length: width }, (_, k) => k + 1)
  const started = await startWorkflow(
    t,
    workflowOf(graphOf([[], ...middle.map(() => [0]), ...middle.map(() => middle)])),
  )
  const before = t.db.writeTransactions
  await fail(started, started.jobs[0]!)
  expect(await counts(started)).toEqual({ failed: 1, canceled: 2 * width })
  expect(t.db.writeTransactions - before).toBeGreaterThan(2)
})

it('a retry while the frontier is open counts the dependants anew, and the drain does not tell them twice', async () => {
  const started = await startWorkflow(t, workflowOf(fan(6_000)))
  await crashAfter(started, started.jobs[0]!, 'failed')
  await t.post(`/jobs/${started.jobs[0]}/retry/0?max_retries=5`)
  await drainFrontier(t.db, () => t.clock.now)
  expect(await counts(started)).toEqual({ ready: 1, blocked: 6_001 })
  await t.post(`/workflows/${started.workflowId}/batch_complete_jobs`, {
    completions: [completionOf(started, started.jobs[0]!)],
  })
  expect(await counts(started)).toEqual({ completed: 1, ready: 6_000, blocked: 1 })
})

it.each(['initialize_jobs', 'reset_job_status'])('%s while the frontier is open counts all anew', async operation => {
  const started = await startWorkflow(t, workflowOf(fan(6_000)))
  await crashAfter(started, started.jobs[0]!, 'completed')
  expect((await t.post(`/workflows/${started.workflowId}/${operation}`)).status).toBe(200)
  expect(await t.db.read(() => one('SELECT * FROM frontier'))).toBeUndefined()
  await assertInvariants(t.db)
})

it('a completion in the middle of a drain joins what the drain has not told yet', async () => {
  // Two producers of 6,000 shared dependants: the second ends while those of the first are half told.
  const consumers = Array.from({ length: 6_000 }, () => [0, 1])
  const started = await startWorkflow(t, workflowOf(graphOf([[], [], ...consumers])))
  await crashAfter(started, started.jobs[0]!, 'completed')
  const draining = drainFrontier(t.db, () => t.clock.now)
  const second = t.post(`/workflows/${started.workflowId}/batch_complete_jobs`, {
    completions: [completionOf(started, started.jobs[1]!)],
  })
  await Promise.all([draining, second])
  expect(await counts(started)).toEqual({ completed: 2, ready: 6_000 })
})
