import { afterEach, beforeEach, expect, it } from 'vitest'
import { all } from '../../db/unit.ts'
import { type TestApp, testApp } from '../helpers/app.ts'
import { completionOf } from '../helpers/completion.ts'
import { assertInvariants } from '../helpers/invariants.ts'
import { graphOf, type Started, startWorkflow, statusesOf, workflowOf } from '../helpers/workflow.ts'
import { postOver, type Watcher, watchDb } from '../helpers/wrapped-db.ts'

let t: TestApp
beforeEach(async () => {
  t = await testApp()
})
afterEach(() => t.close())

/** Two jobs that succeed, one that fails and takes its dependant along, one that comes back, and what they release. */
const jobs = graphOf([[], [], [], [], [0, 1], [2], [3]])

/** A workflow with its first four jobs claimed, and the batch that ends them and claims on. */
async function prepare() {
  const started = await startWorkflow(t, workflowOf(jobs))
  const { body } = await t.post(`/workflows/${started.workflowId}/claim_next_jobs?limit=4`, {
    compute_node_id: started.nodeId,
    lease_seconds: 60,
    start: true,
  })
  const ends = [
    {},
    {},
    { status: 'failed' },
    { status: 'terminated', return_code: 152, failure_class: 'allocation_end' },
  ]
  const completions = ends.map((end, k) =>
    completionOf(started, started.jobs[k]!, { claim_token: body.jobs[k].claim_token, attempt_id: 1, ...end }),
  )
  const claim = { limit: 1, claim_id: `claim-of-${started.workflowId}`, compute_node_id: started.nodeId, start: true }
  return { started, path: `/workflows/${started.workflowId}/batch_complete_jobs`, batch: { completions, claim } }
}

/** What a batch leaves behind, without the ids and tokens that differ from one workflow to the next. */
async function picture({ workflowId, jobs }: Started): Promise<unknown> {
  const count = (table: string) =>
    t.db.read(() => all<{ n: number }>(`SELECT count(*) AS n FROM ${table} WHERE workflow_id = ?`, workflowId))
  const events = await t.db.read(() =>
    all<{ type: string; job_id: number }>(
      'SELECT type, job_id FROM stream_event WHERE workflow_id = ? ORDER BY seq',
      workflowId,
    ),
  )
  return {
    statuses: await statusesOf(t, workflowId),
    results: await count('result'),
    claims: await count('claim'),
    events: events.map(({ type, job_id }) => `${type} ${jobs.indexOf(job_id)}`),
  }
}

class Fault extends Error {}

/** Fails at the k-th call of one kind; `struck` tells whether there was such a call. */
function failing(kind: keyof Watcher, k: number): Watcher & { struck: boolean } {
  let calls = 0
  const watcher: Watcher & { struck: boolean } = {
    struck: false,
    [kind]: () => {
      if (calls++ !== k) return
      watcher.struck = true
      throw new Fault()
    },
  }
  return watcher
}

it.each([
  ['before', 'nothing'],
  ['after', 'nothing'],
  ['committed', 'all'],
] as const)(
  'S59 the database fails %s call k of a batch, for every k: %s is done, and the resend completes it',
  async (kind, effect) => {
    const reference = await prepare()
    const untouched = await picture(reference.started)
    await t.post(reference.path, reference.batch)
    const whole = await picture(reference.started)
    expect(whole).not.toEqual(untouched)

    let faults = 0
    for (let k = 0; k < 100; k++) {
      const { started, path, batch } = await prepare()
      const watcher = failing(kind, k)
      const reply = await postOver(t, watchDb(t.db, watcher))(path, batch)
      if (watcher.struck) {
        faults++
        expect(reply.status, `call ${k}`).toBe(500)
        expect(await picture(started), `call ${k}`).toEqual(effect === 'all' ? whole : untouched)
      }
      const resent = await t.post(path, batch)
      expect(resent.body, `call ${k}`).toMatchObject({ completed: started.jobs.slice(0, 4), errors: [] })
      expect(resent.body.claimed, `call ${k}`).toHaveLength(1)
      expect(await picture(started), `call ${k}`).toEqual(whole)
      await assertInvariants(t.db, `after call ${k}`)
      if (!watcher.struck) break
    }
    expect(faults).toBeGreaterThan(kind === 'committed' ? 0 : 10)
  },
)
