import { afterEach, beforeEach, expect, it } from 'vitest'
import { AppError } from '../../api/errors.ts'
import { AWAY_MS, withFairLeases } from '../../api/fair-leases.ts'
import { tick } from '../../db/tick.ts'
import type { Db } from '../../db/unit.ts'
import { type TestApp, testApp } from '../helpers/app.ts'
import { openTestDb } from '../helpers/back-end.ts'
import { assertInvariants } from '../helpers/invariants.ts'
import { independent, type Started, startWorkflow, statusesOf, workflowOf } from '../helpers/workflow.ts'

const LEASE = 60

let t: TestApp
let started: Started
/** What every write comes to now; undefined: nothing is wrong. */
let trouble: Error | undefined

const FULL = Object.assign(new Error('disk full'), { code: 'SQLITE_FULL' })

/** The same database, whose writes fail while there is trouble. */
const troubled = (db: Db): Db => ({
  ...db,
  write: async unit => {
    if (trouble === undefined) return db.write(unit)
    // Like a real one it begins before it fails.
    unit()
    throw trouble
  },
})

beforeEach(async () => {
  trouble = undefined
  t = await testApp({}, async () => {
    const test = await openTestDb()
    return { ...test, db: withFairLeases(troubled(test.db), () => t?.clock.now ?? 0) }
  })
  started = await startWorkflow(t, workflowOf(independent(1)))
  await t.post(`/workflows/${started.workflowId}/claim_next_jobs?limit=1`, {
    compute_node_id: started.nodeId,
    lease_seconds: LEASE,
    start: true,
  })
})
afterEach(async () => {
  await assertInvariants(t.db)
  await t.close()
})

function pass(ms: number): void {
  t.clock.now += ms
}
const write = (): Promise<number> =>
  t.post(`/compute_nodes/${started.nodeId}/heartbeat`, {}).then(({ status }) => status)
const statusAfterTick = async (): Promise<string[]> => {
  await tick(t.db, t.clock.now)
  return statusesOf(t, started.workflowId)
}

it('S93 withFairLeases() gives every lease its full time again when nothing could be written for long', async () => {
  pass(LEASE * 500)
  trouble = FULL
  expect(await write()).toBe(503)
  pass(LEASE * 1000)
  expect(await write()).toBe(503)
  trouble = undefined
  expect(await statusAfterTick()).toEqual(['running'])
  pass(LEASE * 1000 - 1)
  expect(await statusAfterTick()).toEqual(['running'])
  pass(1)
  expect(await statusAfterTick()).toEqual(['ready'])
})

it('withFairLeases() leaves leases alone after trouble that was soon over', async () => {
  pass(LEASE * 1000 - AWAY_MS)
  trouble = FULL
  expect(await write()).toBe(503)
  pass(AWAY_MS)
  trouble = undefined
  expect(await statusAfterTick()).toEqual(['ready'])
})

it('withFairLeases() does not take a refusal of ours for trouble', async () => {
  trouble = new AppError('conflict', 'Cannot do that')
  expect(await write()).toBe(409)
  pass(LEASE * 1000)
  trouble = undefined
  expect(await statusAfterTick()).toEqual(['ready'])
})

it('withFairLeases() does it with the next write when the first one is undone', async () => {
  trouble = FULL
  expect(await write()).toBe(503)
  pass(LEASE * 1000)
  trouble = undefined
  const refused = t.db.write(function* () {
    yield []
    throw new AppError('conflict', 'Cannot do that')
  })
  await expect(refused).rejects.toThrow('Cannot do that')
  expect(await statusAfterTick()).toEqual(['running'])
})

it('withFairLeases() does it after a write that was answered too late', async () => {
  await t.db.write(function* () {
    yield []
    pass(LEASE * 1000)
  })
  expect(await statusAfterTick()).toEqual(['running'])
})
