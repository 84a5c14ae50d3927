import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { canMove, JOB_STATUSES, type JobStatus, STATUS } from '../../api/core/status.ts'
import { all, run } from '../../db/unit.ts'
import { type TestApp, testApp } from '../helpers/app.ts'
import { completionOf } from '../helpers/completion.ts'
import { assertInvariants } from '../helpers/invariants.ts'
import { setStatus } from '../helpers/seed.ts'
import { independent, type Started, startWorkflow, statusesOf, workflowOf } from '../helpers/workflow.ts'

let t: TestApp
let started: Started
beforeEach(async () => {
  t = await testApp()
  started = await startWorkflow(t, workflowOf(independent(JOB_STATUSES.length)))
  for (const [k, status] of JOB_STATUSES.entries()) await setStatus(t, started.jobs[k]!, status)
})
afterEach(async () => {
  await assertInvariants(t.db)
  await t.close()
})

const jobIn = (status: JobStatus): number => started.jobs[STATUS[status]]!

describe('S13 a completion from each status to each', () => {
  it.each(JOB_STATUSES)('batch_complete_jobs with %s', async target => {
    const entries = JOB_STATUSES.map(from => completionOf(started, jobIn(from), { status: target, return_code: 0 }))
    const { body } = await t.post(`/workflows/${started.workflowId}/batch_complete_jobs`, { completions: entries })
    const allowed = JOB_STATUSES.filter(from => canMove('complete', from, target))
    expect(body.completed).toEqual(allowed.map(jobIn))
    const after = await statusesOf(t, started.workflowId)
    expect(after).toEqual(JOB_STATUSES.map(from => (allowed.includes(from) ? target : from)))
    for (const { job_id, message } of body.errors) {
      const from = JOB_STATUSES[started.jobs.indexOf(job_id)]!
      expect(message, `${from} to ${target}`).toContain(`${job_id}`)
      // Refused as final or disabled, the message names where the job stands; as no terminal status, where it should go.
      expect(message).toMatch(new RegExp(`${from}|not terminal: ${target}`))
    }
  })
})

it('S13 claims take ready jobs only, and release gives only held ones back', async () => {
  const { body } = await t.post(`/workflows/${started.workflowId}/claim_next_jobs?limit=100`, {
    compute_node_id: started.nodeId,
  })
  expect(body.jobs.map((job: { id: number }) => job.id)).toEqual([jobIn('ready')])
  const claims = started.jobs.map(id => ({ job_id: id, claim_token: body.jobs[0].claim_token }))
  expect((await t.post(`/compute_nodes/${started.nodeId}/release`, { claims })).body.released).toEqual([jobIn('ready')])
  expect(await statusesOf(t, started.workflowId)).toEqual([...JOB_STATUSES])
})

it('S13 initialize leaves disabled jobs and puts none but complete ones elsewhere than ready', async () => {
  await t.post(`/workflows/${started.workflowId}/initialize_jobs`)
  const after = await statusesOf(t, started.workflowId)
  const stays: JobStatus[] = ['completed', 'failed', 'canceled', 'disabled']
  expect(after).toEqual(JOB_STATUSES.map(from => (stays.includes(from) ? from : 'ready')))
})

const LEASE = {
  claim_token: `'x'`,
  compute_node_id: '1',
  claimed_at: '1',
  lease_seconds: '60',
  lease_expires_at: '60001',
}

it.each(['claim_token', 'compute_node_id', 'claimed_at', 'lease_expires_at', 'lease_seconds'] as const)(
  'S14 a leased claim written without %s is refused by the database',
  async missing => {
    const id = jobIn('running')
    const columns = Object.entries(LEASE).map(([column, value]) => `${column} = ${column === missing ? 'NULL' : value}`)
    const write = () => t.db.write(() => run(`UPDATE job SET ${columns.join(', ')} WHERE id = ?`, id))
    await expect(write()).rejects.toThrow('CHECK constraint failed')
    expect(await t.db.read(() => all('SELECT claim_token FROM job WHERE id = ?', id))).toEqual([{ claim_token: null }])
  },
)

it.each(Object.entries(LEASE))('S14 a job that nobody may hold cannot carry %s', async (column, value) => {
  const write = () => t.db.write(() => run(`UPDATE job SET ${column} = ${value} WHERE id = ?`, jobIn('ready')))
  await expect(write()).rejects.toThrow('CHECK constraint failed')
})
