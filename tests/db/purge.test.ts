import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { hideWorkflow, removeWorkflow } from '../../db/delete-workflow.ts'
import { purgeOldWorkflows } from '../../db/purge.ts'
import { appendEvents } from '../../db/stream-events.ts'
import { all, type Db } from '../../db/unit.ts'
import { type TestApp, testApp } from '../helpers/app.ts'
import { completionOf } from '../helpers/completion.ts'
import { independent, type Started, startWorkflow, workflowOf } from '../helpers/workflow.ts'

let t: TestApp
beforeEach(async () => {
  t = await testApp()
})
afterEach(() => t.close())

/** A workflow of one job, which has ended. */
async function endedWorkflow(): Promise<Started> {
  const started = await startWorkflow(t, workflowOf(independent(1)))
  await t.post(`/workflows/${started.workflowId}/batch_complete_jobs`, {
    completions: [completionOf(started, started.jobs[0]!)],
  })
  return started
}

const countOf = async (table: string, workflowId: number): Promise<number> =>
  (await t.db.read(() => all(`SELECT 1 FROM ${table} WHERE workflow_id = ?`, workflowId))).length

describe('purgeOldWorkflows()', () => {
  it('leaves a workflow alone that was begun anew after it was listed', async () => {
    const [first, second] = [await endedWorkflow(), await endedWorkflow()]
    t.clock.now += 1_000
    let isFirst = true
    const racing: Db = {
      get writeTransactions() {
        return t.db.writeTransactions
      },
      read: unit => t.db.read(unit),
      async write(unit) {
        // The list has been read by now.
        if (isFirst) await t.post('/jobs', { workflow_id: second.workflowId, name: 'one more', command: 'true' })
        isFirst = false
        return t.db.write(unit)
      },
      close: () => t.db.close(),
    }
    const removed = await purgeOldWorkflows(racing, t.clock.now, t.clock.now)
    expect(removed.map(({ id }) => id)).toEqual([first.workflowId])
    expect(await countOf('job', first.workflowId)).toBe(0)
    expect(await countOf('job', second.workflowId)).toBe(2)
  })
})

describe('removeWorkflow()', () => {
  it('removes any number of events in transactions that each remove a few thousand', async () => {
    const [gone, stays] = [await endedWorkflow(), await endedWorkflow()]
    const events = Array.from({ length: 9_000 }, () => ({ type: 'job_started', jobId: gone.jobs[0]! }))
    await t.db.write(() => appendEvents(gone.workflowId, 1, events))
    await t.db.write(() => hideWorkflow(gone.workflowId, 1))
    const before = t.db.writeTransactions
    await removeWorkflow(t.db, gone.workflowId)
    // Its job, that there is no other, three times events, and the rest.
    expect(t.db.writeTransactions - before).toBe(6)
    expect(await countOf('stream_event', gone.workflowId)).toBe(0)
    expect(await countOf('stream_event', stays.workflowId)).toBeGreaterThan(0)
  })
})
