import { expect, it } from 'vitest'
import { completionOf } from '../helpers/completion.ts'
import { api, letTick, twin, waitUntil } from './client.ts'
import { claim, jobsNamed, start, statusesOf } from './workflow.ts'

/** The shortest that a claim may ask for. */
const LEASE_SECONDS = 15

const beat = (nodeId: number, job: { id: number; claim_token: string }) =>
  api.post(`/compute_nodes/${nodeId}/heartbeat`, {
    claims: [{ job_id: job.id, claim_token: job.claim_token, running: true }],
  })

it('leases: a heartbeat renews what the node holds, and tells what it does not', async () => {
  const started = await start(api, jobsNamed('a'))
  const [held] = await claim(api, started, { lease_seconds: LEASE_SECONDS })
  const renewed = await beat(started.nodeId, held!)
  expect(renewed.status).toBe(200)
  expect(renewed.body).toMatchObject({ lost: [], cancel: [] })
  expect(renewed.body.lease_expires_at).toBeGreaterThan(Date.now())
  const foreign = await beat(started.nodeId, { id: held!.id, claim_token: 'not-mine' })
  expect(foreign.body.lost).toEqual([held!.id])
})

it('leases: a job whose lease ran out is rescued by tick alone, and its old token no longer counts once it is claimed', async () => {
  const started = await start(api, jobsNamed('a'))
  const [lost] = await claim(api, started, { lease_seconds: LEASE_SECONDS })
  const look = async () => {
    await letTick()
    return statusesOf(twin, started)
  }
  expect(await waitUntil(look, ([status]) => status !== 'pending', 60_000)).toEqual(['ready'])
  const [again] = await claim(twin, started)
  const late = await api.post(`/workflows/${started.workflowId}/batch_complete_jobs`, {
    completions: [completionOf(started, lost!.id, { claim_token: lost!.claim_token })],
    verdicts: true,
  })
  expect(late.body.verdicts).toMatchObject([{ code: 'lost_claim' }])
  const done = await api.post(`/workflows/${started.workflowId}/batch_complete_jobs`, {
    completions: [completionOf(started, again!.id, { claim_token: again!.claim_token })],
  })
  expect(done.body.completed).toEqual([again!.id])
}, 120_000)
