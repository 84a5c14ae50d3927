import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { startTicking } from '../../../api/node/ticking.ts'
import type { Db } from '../../../db/unit.ts'
import { type TestApp, testApp } from '../../helpers/app.ts'
import { independent, type Started, startWorkflow, statusesOf, workflowOf } from '../../helpers/workflow.ts'

const TICK_MS = 5_000
const LEASE = 60

let t: TestApp
let started: Started
beforeEach(async () => {
  t = await testApp()
  t.clock.now = Date.now()
  started = await startWorkflow(t, workflowOf(independent(1)))
  await t.post(`/workflows/${started.workflowId}/claim_next_jobs?limit=1`, {
    compute_node_id: started.nodeId,
    lease_seconds: LEASE,
    start: true,
  })
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'] })
})
afterEach(async () => {
  vi.useRealTimers()
  await t.close()
})

/** The whole process stands still; then its timers go on. */
function freeze(ms: number): void {
  vi.setSystemTime(Date.now() + ms)
  vi.advanceTimersByTime(TICK_MS)
}

it('startTicking() takes no job back for a freeze of the process', async () => {
  const stop = startTicking(t.db, () => {})
  freeze(LEASE * 1000)
  await stop()
  expect(await statusesOf(t, started.workflowId)).toEqual(['running'])
})

it('startTicking() remembers a freeze that came in the middle of a tick', async () => {
  let goOn = () => {}
  const held = new Promise<void>(resolve => {
    goOn = resolve
  })
  let writes = 0
  const db: Db = {
    ...t.db,
    async read(unit) {
      await held
      return t.db.read(unit)
    },
    write(unit) {
      writes++
      return t.db.write(unit)
    },
  }
  const stop = startTicking(db, () => {})
  vi.advanceTimersByTime(TICK_MS)
  freeze(LEASE * 1000)
  goOn()
  // Once the first tick is over, the next one has something to write.
  await vi.waitFor(() => {
    vi.advanceTimersByTime(TICK_MS)
    expect(writes).toBeGreaterThan(0)
  })
  await stop()
  expect(await statusesOf(t, started.workflowId)).toEqual(['running'])
})

it('startTicking() takes a job back whose lease has lapsed while it was there', async () => {
  const stop = startTicking(t.db, () => {})
  await vi.waitFor(async () => {
    vi.advanceTimersByTime(TICK_MS)
    expect(await statusesOf(t, started.workflowId)).toEqual(['ready'])
  })
  await stop()
})
