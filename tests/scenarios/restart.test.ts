import { expect, it } from 'vitest'
import { toCompletion } from '../../api/contract/completion.ts'
import { startServer } from '../../api/node.ts'
import { completeJobs } from '../../db/completions.ts'
import { run } from '../../db/unit.ts'
import { testApp } from '../helpers/app.ts'
import { completionOf } from '../helpers/completion.ts'
import { assertInvariants } from '../helpers/invariants.ts'
import { chain, independent, startWorkflow, workflowOf } from '../helpers/workflow.ts'

it('S68 S92 a server that starts finishes what the one before it left: cascades, counts and deletions', async () => {
  const t = await testApp()
  const cascade = await startWorkflow(t, workflowOf(chain(500)))
  const half = await startWorkflow(t, workflowOf(independent(20)))
  const gone = await startWorkflow(t, workflowOf(independent(20)))
  const failed = toCompletion(completionOf(cascade, cascade.jobs[0]!, { status: 'failed' }))
  await t.db.write(() => completeJobs(cascade.workflowId, [failed], { now: t.clock.now }))
  const leave = (state: string, work: string | null, id: number) =>
    t.db.write(() =>
      run('UPDATE workflow SET state = ?, state_work = ?, state_since = ? WHERE id = ?', state, work, Date.now(), id),
    )
  await leave('initializing', 'initialize', half.workflowId)
  await leave('deleting', null, gone.workflowId)

  const server = await startServer({ dbPath: t.dbPath, durability: 'process', log: () => undefined })
  try {
    const jobsByStatus = async (id: number) => {
      const reply = await fetch(`${server.url}/v1/workflows/${id}/status`)
      return ((await reply.json()) as { jobs_by_status: Record<string, number> }).jobs_by_status
    }
    expect(await jobsByStatus(cascade.workflowId)).toMatchObject({ failed: 1, canceled: 499 })
    expect(await jobsByStatus(half.workflowId)).toMatchObject({ ready: 20 })
    const claim = await fetch(`${server.url}/v1/workflows/${half.workflowId}/claim_next_jobs?limit=3`, {
      method: 'POST',
    })
    expect(await claim.json()).toMatchObject({ jobs: [{}, {}, {}] })
    expect((await fetch(`${server.url}/v1/workflows/${gone.workflowId}`)).status).toBe(404)
    await assertInvariants(server.db)
  } finally {
    await server.close()
    await t.close()
  }
})
