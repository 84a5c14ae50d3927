import { afterEach, beforeEach, expect, it } from 'vitest'
import { all, run } from '../../db/unit.ts'
import { type TestApp, testApp } from '../helpers/app.ts'
import { completionOf } from '../helpers/completion.ts'
import { assertInvariants } from '../helpers/invariants.ts'
import { seedNode } from '../helpers/seed.ts'
import {
  chain,
  diamond,
  fan,
  graphOf,
  independent,
  jobOf,
  type Started,
  startWorkflow,
  statusesOf,
  workflowOf,
} from '../helpers/workflow.ts'

let t: TestApp
beforeEach(async () => {
  t = await testApp()
})
afterEach(async () => {
  await assertInvariants(t.db)
  await t.close()
})

type Job = { id: number; claim_token: string; attempt_id: number }
type Entry = ReturnType<typeof completionOf>

const complete = (started: Started, completions: unknown[], extra: object = {}) =>
  t.post(`/workflows/${started.workflowId}/batch_complete_jobs`, { completions, verdicts: true, ...extra })

/** Claims and starts, with a lease: what our runner does. */
async function claim(started: Started, limit: number, nodeId = started.nodeId): Promise<Job[]> {
  const { body } = await t.post(`/workflows/${started.workflowId}/claim_next_jobs?limit=${limit}`, {
    compute_node_id: nodeId,
    start: true,
    lease_seconds: 60,
  })
  return body.jobs
}

const reportOf = (
  started: Started,
  { id, claim_token, attempt_id }: Job,
  fields: Parameters<typeof completionOf>[2] = {},
): Entry => completionOf(started, id, { claim_token, attempt_id, ...fields })

const codes = (reply: { body: { verdicts: { code: string }[] } }) => reply.body.verdicts.map(verdict => verdict.code)
const eventsOf = (workflowId: number) =>
  t.db.read(() =>
    all<{ type: string; job_id: number }>(
      'SELECT type, job_id FROM stream_event WHERE workflow_id = ? ORDER BY seq',
      workflowId,
    ),
  )
const resultsOf = (jobId: number) =>
  t.db.read(() =>
    all<{ attempt_id: number; status: number; superseded: number; failure_class: string | null }>(
      'SELECT attempt_id, status, superseded, failure_class FROM result WHERE job_id = ? ORDER BY id',
      jobId,
    ),
  )

it('S52 four running jobs exit together: one request with four entries, four accepted', async () => {
  const started = await startWorkflow(t, workflowOf(independent(4)))
  const jobs = await claim(started, 4)
  const before = t.db.writeTransactions
  const reply = await complete(
    started,
    jobs.map(job => reportOf(started, job)),
  )
  expect(reply.body).toMatchObject({ completed: started.jobs, errors: [] })
  expect(t.db.writeTransactions).toBe(before + 1)
  expect(await statusesOf(t, started.workflowId)).toEqual(Array(4).fill('completed'))
})

it('S52 held jobs that were started meanwhile are running from then on, unless the time told is none', async () => {
  const started = await startWorkflow(t, workflowOf(independent(2)))
  const { body } = await t.post(`/workflows/${started.workflowId}/claim_next_jobs?limit=2`, {
    compute_node_id: started.nodeId,
  })
  const [held, other]: Job[] = body.jobs
  const tell = (job: Job, start_time: number, token = job.claim_token) =>
    complete(started, [], { started: [{ job_id: job.id, claim_token: token, start_time }] })
  for (const bad of [1e308, -1]) expect((await tell(held!, bad)).status).toBe(422)
  expect((await tell(other!, 1_000, 'not its token')).status).toBe(200)
  expect((await tell(held!, 1_000.4)).status).toBe(200)
  expect(await statusesOf(t, started.workflowId)).toEqual(['running', 'pending'])
  expect((await eventsOf(started.workflowId)).filter(event => event.type === 'job_started')).toMatchObject([
    { job_id: held!.id },
  ])
})

it('S53 one unknown job among five: four accepted, one not_found, and the request succeeds', async () => {
  const started = await startWorkflow(t, workflowOf(independent(4)))
  const entries = started.jobs.map(id => completionOf(started, id))
  const reply = await complete(started, [
    entries[0],
    entries[1],
    completionOf(started, 999_999),
    entries[2],
    entries[3],
  ])
  expect(reply.status).toBe(200)
  expect(codes(reply)).toEqual(['accepted', 'accepted', 'not_found', 'accepted', 'accepted'])
  expect(reply.body.errors).toMatchObject([{ job_id: 999_999 }])
})

it('S54 entries for another workflow or of a stale run are refused one by one and leave nothing behind', async () => {
  const started = await startWorkflow(t, workflowOf(independent(3)))
  const other = await startWorkflow(t, workflowOf(independent(1)))
  const reply = await complete(started, [
    completionOf(other, other.jobs[0]!),
    completionOf(started, started.jobs[0]!, { run_id: 3 }),
    completionOf(started, started.jobs[1]!),
  ])
  expect(codes(reply)).toEqual(['wrong_workflow', 'stale_run', 'accepted'])
  expect(reply.body.errors[0].message).toContain(`${other.workflowId}`)
  expect(await statusesOf(t, other.workflowId)).toEqual(['ready'])
  expect(await resultsOf(started.jobs[0]!)).toEqual([])
  expect(await resultsOf(other.jobs[0]!)).toEqual([])
})

it.each(['running', 'ready', 'disabled', 'no such word', ''])(
  'S55 the status "%s" refuses its own entry only',
  async status => {
    const started = await startWorkflow(t, workflowOf(independent(2)))
    const reply = await complete(started, [
      completionOf(started, started.jobs[0]!, { status }),
      completionOf(started, started.jobs[1]!),
    ])
    expect(codes(reply)).toEqual(['illegal_status', 'accepted'])
    expect(await statusesOf(t, started.workflowId)).toEqual(['ready', 'completed'])
  },
)

it('S55 an entry that cannot be read is refused alone where it names its job, else the batch is', async () => {
  const started = await startWorkflow(t, workflowOf(independent(2)))
  const good = completionOf(started, started.jobs[1]!)
  const reply = await complete(started, [{ job_id: started.jobs[0], status: 'completed' }, good])
  expect(codes(reply)).toEqual(['mismatch', 'accepted'])
  expect((await complete(started, [{ status: 'completed' }])).body.error).toMatchObject({ code: 'invalid' })
})

it('S56 the same job twice in a batch: one result, listed once, the second a duplicate', async () => {
  const started = await startWorkflow(t, workflowOf(independent(1)))
  const entry = completionOf(started, started.jobs[0]!)
  const reply = await complete(started, [entry, entry])
  expect(codes(reply)).toEqual(['accepted', 'duplicate'])
  expect(reply.body).toMatchObject({ completed: [started.jobs[0]], errors: [] })
  expect(await resultsOf(started.jobs[0]!)).toHaveLength(1)
})

it('S57 a batch sent again is accepted as duplicates, and its events stand once', async () => {
  const started = await startWorkflow(t, workflowOf(diamond()))
  const [head] = await claim(started, 1)
  await complete(started, [reportOf(started, head!)])
  const middle = await claim(started, 2)
  const batch = [reportOf(started, middle[0]!), reportOf(started, middle[1]!, { status: 'failed', return_code: 3 })]
  expect(codes(await complete(started, batch))).toEqual(['accepted', 'accepted'])
  const before = [await eventsOf(started.workflowId), await statusesOf(t, started.workflowId)]
  for (let k = 0; k < 3; k++) {
    const reply = await complete(started, batch)
    expect(codes(reply)).toEqual(['duplicate', 'duplicate'])
    expect(reply.body.completed).toEqual(middle.map(job => job.id))
  }
  expect([await eventsOf(started.workflowId), await statusesOf(t, started.workflowId)]).toEqual(before)
})

it('S57 a complete+claim sent again gives the same jobs and tokens, also when the cascade made them ready', async () => {
  const started = await startWorkflow(t, workflowOf(fan(3)))
  const [head] = await claim(started, 1)
  const body = {
    completions: [reportOf(started, head!)],
    claim: { limit: 2, claim_id: 'claim-0003', compute_node_id: started.nodeId, start: true },
  }
  const first = await t.post(`/workflows/${started.workflowId}/batch_complete_jobs`, body)
  const again = await t.post(`/workflows/${started.workflowId}/batch_complete_jobs`, body)
  expect(first.body.claimed).toHaveLength(2)
  expect(again.body.claimed).toEqual(first.body.claimed)
  expect(await statusesOf(t, started.workflowId)).toEqual(['completed', 'running', 'running', 'ready', 'blocked'])
})

it('S57 a pending_failed report sent again is a duplicate; its owner may still end the job', async () => {
  const started = await startWorkflow(t, workflowOf(chain(2)))
  const [job] = await claim(started, 1)
  const report = reportOf(started, job!, { status: 'pending_failed', return_code: 1 })
  expect(codes(await complete(started, [report, report]))).toEqual(['accepted', 'duplicate'])
  expect(codes(await complete(started, [report]))).toEqual(['duplicate'])
  expect(await statusesOf(t, started.workflowId)).toEqual(['pending_failed', 'blocked'])
  expect(codes(await complete(started, [completionOf(started, job!.id, { status: 'failed' })]))).toEqual(['accepted'])
  expect(await statusesOf(t, started.workflowId)).toEqual(['failed', 'canceled'])
  expect(await resultsOf(job!.id)).toMatchObject([{ attempt_id: 1, status: 6 }])
})

it('S58 another outcome for a final job is already_final, and its result stays', async () => {
  const started = await startWorkflow(t, workflowOf(independent(1)))
  const [job] = await claim(started, 1)
  await complete(started, [reportOf(started, job!)])
  const before = await resultsOf(job!.id)
  const failed = reportOf(started, job!, { status: 'failed' })
  expect(codes(await complete(started, [failed, reportOf(started, job!, { return_code: 7 })]))).toEqual([
    'already_final',
    'already_final',
  ])
  expect((await t.post(`/jobs/${job!.id}/complete_job/failed/0`, failed.result)).body.error.code).toBe('already_final')
  expect(await resultsOf(job!.id)).toEqual(before)
})

it('S2 a leased job takes no completion with a wrong token or without one, and its row is unchanged', async () => {
  const started = await startWorkflow(t, workflowOf(independent(1)))
  const [job] = await claim(started, 1)
  const row = () => t.db.read(() => all('SELECT * FROM job WHERE id = ?', job!.id))
  const before = await row()
  const wrong = completionOf(started, job!.id, { claim_token: `${job!.claim_token}x` })
  expect(codes(await complete(started, [wrong, completionOf(started, job!.id)]))).toEqual(['lost_claim', 'lost_claim'])
  const single = await t.post(`/jobs/${job!.id}/complete_job/completed/0`, wrong.result)
  expect([single.status, single.body.error.code]).toEqual([409, 'lost_claim'])
  expect(await row()).toEqual(before)
  expect((await t.post(`/jobs/${job!.id}/complete_job/completed/0?force=true`, wrong.result)).status).toBe(200)
})

it('S9 a late report of a job that somebody else has claimed again is refused, kept once, and disturbs nobody', async () => {
  const started = await startWorkflow(t, workflowOf(independent(1)))
  const [lost] = await claim(started, 1)
  const release = await t.post(`/compute_nodes/${started.nodeId}/release`, {
    claims: [{ job_id: lost!.id, claim_token: lost!.claim_token, lost: 'node_lost' }],
  })
  expect(release.body).toEqual({ released: [], lost: [lost!.id], failed: [] })
  const [current] = await claim(started, 1, await seedNode(t, started.workflowId))
  for (let k = 0; k < 3; k++) expect(codes(await complete(started, [reportOf(started, lost!)]))).toEqual(['lost_claim'])
  expect(await resultsOf(lost!.id)).toMatchObject([{ attempt_id: 1, superseded: 1 }])
  expect(codes(await complete(started, [reportOf(started, current!)]))).toEqual(['accepted'])
  expect(await resultsOf(lost!.id)).toMatchObject([
    { attempt_id: 1, superseded: 1 },
    { attempt_id: 2, superseded: 0 },
  ])
})

it('S8 a job taken back and not claimed again is completed by its late owner, and a resend is a duplicate', async () => {
  const started = await startWorkflow(t, workflowOf(chain(2)))
  const [job] = await claim(started, 1)
  await t.post(`/compute_nodes/${started.nodeId}/release`, {
    claims: [{ job_id: job!.id, claim_token: job!.claim_token, lost: 'node_lost' }],
  })
  // Clients that do not name the attempt are known by their token.
  const report = completionOf(started, job!.id, { claim_token: job!.claim_token })
  expect(codes(await complete(started, [report]))).toEqual(['salvaged'])
  expect(codes(await complete(started, [report]))).toEqual(['duplicate'])
  expect(await statusesOf(t, started.workflowId)).toEqual(['completed', 'ready'])
  expect(await resultsOf(job!.id)).toMatchObject([{ attempt_id: 1 }])
})

it('S20 a job whose output is missing fails with class no_output, and what hangs below is canceled', async () => {
  const started = await startWorkflow(t, workflowOf(chain(2)))
  const [job] = await claim(started, 1)
  await complete(started, [reportOf(started, job!, { status: 'failed', return_code: 1, failure_class: 'no_output' })])
  expect(await statusesOf(t, started.workflowId)).toEqual(['failed', 'canceled'])
  expect(await resultsOf(job!.id)).toMatchObject([{ failure_class: 'no_output' }])
})

const END = { status: 'terminated', return_code: 152, failure_class: 'allocation_end' }

it('a job killed with its allocation is ready as its next attempt while the loss budget lasts, then stays terminated', async () => {
  const started = await startWorkflow(t, workflowOf(chain(2), { lossBudget: 2 }))
  for (const attempt of [1, 2]) {
    const [job] = await claim(started, 1)
    expect(job!.attempt_id).toBe(attempt)
    const report = reportOf(started, job!, END)
    expect(codes(await complete(started, [report, report]))).toEqual(['accepted', 'duplicate'])
    expect(codes(await complete(started, [report]))).toEqual(['duplicate'])
    expect(await statusesOf(t, started.workflowId)).toEqual(['ready', 'blocked'])
  }
  const [last] = await claim(started, 1)
  expect(codes(await complete(started, [reportOf(started, last!, END)]))).toEqual(['accepted'])
  expect(await statusesOf(t, started.workflowId)).toEqual(['terminated', 'canceled'])
  expect((await resultsOf(last!.id)).map(row => row.attempt_id)).toEqual([1, 2, 3])
  const types = (await eventsOf(started.workflowId)).map(event => event.type)
  expect(types.filter(type => type === 'job_attempt_lost')).toHaveLength(2)
  expect(types.filter(type => type === 'job_terminated')).toHaveLength(1)
  const rows = await t.db.read(() => all('SELECT losses, attempt_id FROM job WHERE id = ?', last!.id))
  expect(rows).toEqual([{ losses: 2, attempt_id: 3 }])
})

it('an attempt that ended with its allocation is no latest result, but stands among all', async () => {
  const started = await startWorkflow(t, workflowOf(independent(1)))
  const [job] = await claim(started, 1)
  await complete(started, [reportOf(started, job!, END)])
  const list = async (query: string) =>
    (await t.get(`/results?workflow_id=${started.workflowId}${query}`)).body.items.length
  expect([await list(''), await list('&all_runs=true')]).toEqual([0, 1])
})

it('a job whose failure handler lists code 152 is left to its owner at the end of its allocation', async () => {
  const handler = { name: 'own', rules: JSON.stringify([{ exit_codes: [152], max_retries: 1 }]) }
  const jobs = [jobOf('mine', { failureHandler: 0 }), jobOf('ours')]
  const started = await startWorkflow(t, workflowOf(jobs, { failureHandlers: [handler] }))
  const claimed = await claim(started, 2)
  await complete(
    started,
    claimed.map(job => reportOf(started, job, END)),
  )
  expect(await statusesOf(t, started.workflowId)).toEqual(['terminated', 'ready'])
})

it('a job that was canceled at the end of its allocation stays canceled and spends nothing', async () => {
  const started = await startWorkflow(t, workflowOf(independent(1)))
  const [job] = await claim(started, 1)
  await complete(started, [reportOf(started, job!, { ...END, status: 'canceled' })])
  expect(await statusesOf(t, started.workflowId)).toEqual(['canceled'])
})

it('a claim in the same request gets the job that came back with its allocation, under a new token', async () => {
  const started = await startWorkflow(t, workflowOf(independent(1)))
  const [job] = await claim(started, 1)
  const reply = await complete(started, [reportOf(started, job!, END)], { claim: { limit: 1 } })
  expect(reply.body.claimed).toMatchObject([{ id: job!.id, attempt_id: 2 }])
  expect(reply.body.claimed[0].claim_token).not.toBe(job!.claim_token)
})

it('release() ends a job whose loss budget is spent as its class says, and a claim named twice counts once', async () => {
  const jobs = independent(2)
  const started = await startWorkflow(t, workflowOf(jobs, { lossBudget: 0 }))
  const [one, two] = await claim(started, 2)
  const told = (job: Job, lost?: string) => ({ job_id: job.id, claim_token: job.claim_token, lost })
  const { body } = await t.post(`/compute_nodes/${started.nodeId}/release`, {
    claims: [told(one!), told(one!, 'node_lost'), told(two!, 'allocation_end')],
  })
  expect(body).toEqual({ released: [], lost: [], failed: [one!.id, two!.id] })
  expect(await statusesOf(t, started.workflowId)).toEqual(['failed', 'terminated'])
})

it('S67 two completions in one millisecond both unblock their dependants', async () => {
  const started = await startWorkflow(t, workflowOf(graphOf([[], [], [0], [1], [0, 1]])))
  const [a, b] = await claim(started, 2)
  await Promise.all([complete(started, [reportOf(started, a!)]), complete(started, [reportOf(started, b!)])])
  expect(await statusesOf(t, started.workflowId)).toEqual(['completed', 'completed', 'ready', 'ready', 'ready'])
})

it('S60 a batch of fifty is answered although a long write transaction stands open on the only connection', async () => {
  const started = await startWorkflow(t, workflowOf(independent(50)))
  const batch = started.jobs.map(id => completionOf(started, id))
  const other = t.db.write(function* () {
    for (let k = 0; k < 200; k++)
      yield* run('UPDATE workflow SET description = ? WHERE id = ?', `${k}`, started.workflowId)
  })
  const reply = await complete(started, batch)
  expect(reply.body.completed).toHaveLength(50)
  await other
})
