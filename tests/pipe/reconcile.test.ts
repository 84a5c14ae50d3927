import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { canPipeMove, PIPE_STATES, type PipeState } from '../../api/core/pipe/state.ts'
import { run } from '../../db/unit.ts'
import { type Reply, type TestApp, testApp } from '../helpers/app.ts'
import { independent, startWorkflow, workflowOf } from '../helpers/workflow.ts'
import { claimFor, endJobs, observeRun, STAGING, type Staged, seedElement, stageRun, submitRun } from './helpers.ts'

let t: TestApp
beforeEach(async () => {
  t = await testApp()
})
afterEach(() => t.close())

const LEASE_MS = 120_000
const stateOf = async (runId: number): Promise<string> => (await t.get(`/pipe_runs/${runId}`)).body.state

/** Two listings that do not show the array any more. */
async function seeGone(runId: number): Promise<void> {
  for (let k = 0; k < 2; k++) {
    t.clock.now += 1_000
    await observeRun(t, runId, 'gone')
  }
}

/** Looks that many times, half a minute apart; tells how often something was to be submitted. */
async function poll(runId: number, times: number, verdict: string, seen: object = {}): Promise<number[]> {
  const widths: number[] = []
  for (let k = 0; k < times; k++) {
    t.clock.now += 30_000
    const { body } = await observeRun(t, runId, verdict, seen)
    if (body.submission !== undefined) widths.push(body.submission.width)
  }
  return widths
}

describe('PUT pipe_runs state', () => {
  const pairs = PIPE_STATES.flatMap(from => PIPE_STATES.map(to => [from, to] as const))

  it('S13 makes the moves of the table and refuses all others with both states, writing nothing', async () => {
    const staged = await stageRun(t, independent(1))
    const element = await seedElement(t, staged)
    await endJobs(t, staged.workflowId, element, await claimFor(t, staged.workflowId, element))
    for (const [from, to] of pairs) {
      await t.db.write(() => run('UPDATE pipe_run SET state = ? WHERE id = ?', from, staged.runId))
      const reply = await t.put(`/pipe_runs/${staged.runId}`, { state: to })
      const expected = canPipeMove(from, to) ? { status: 200, body: { state: to } } : { status: 422 }
      expect(reply, `${from} to ${to}`).toMatchObject(expected)
      if (reply.status === 200) continue
      expect(reply.body.error.message).toContain(`from ${from} to ${to}`)
      expect(await stateOf(staged.runId)).toBe(from)
    }
  })

  it('refuses a state that is none, and to call a run completed whose members are not', async () => {
    const { runId } = await stageRun(t)
    expect((await t.put(`/pipe_runs/${runId}`, { state: 'done' })).body.error.field).toBe('state')
    await t.put(`/pipe_runs/${runId}`, { state: 'ingesting' })
    expect(await t.put(`/pipe_runs/${runId}`, { state: 'completed' })).toMatchObject({ status: 422 })
    expect(await stateOf(runId)).toBe('ingesting')
  })

  it('the database refuses a state that is none', async () => {
    const { runId } = await stageRun(t)
    const write = t.db.write(() => run(`UPDATE pipe_run SET state = 'done' WHERE id = ?`, runId))
    await expect(write).rejects.toThrow(/CHECK/)
  })
})

describe('PUT pipe_runs throttle', () => {
  it('holds from now on, and is refused for a run that has ended, and below 1', async () => {
    const { runId } = await stageRun(t, independent(3), { staging: { throttle: 2 } })
    expect((await t.put(`/pipe_runs/${runId}`, { throttle: 3 })).body.throttle).toBe(3)
    for (const throttle of [0, -1, 1.5, true, '8'])
      expect((await t.put(`/pipe_runs/${runId}`, { throttle })).body.error.field, `${throttle}`).toBe('throttle')
    await t.post(`/pipe_runs/${runId}/cancel`)
    expect((await t.put(`/pipe_runs/${runId}`, { throttle: 4 })).status).toBe(422)
    expect((await t.get(`/pipe_runs/${runId}`)).body.throttle).toBe(3)
  })
})

describe('POST observe', () => {
  it('S32 keeps a throttled run on HTCondor at its throttle by submitting what is missing, and at a new one', async () => {
    const staging = { scheduler: 'htcondor', width: 20, throttle: 3, grace_seconds: 10 }
    const { workflowId } = await startWorkflow(t, workflowOf(independent(20)))
    const planned = await t.post(`/workflows/${workflowId}/pipe_runs?dry_run=true`, { ...STAGING, ...staging })
    expect(planned.body).toMatchObject({ width: 3 })
    const { runId } = await stageRun(t, independent(20), { staging })

    const arrays: { id: number; running: number }[] = []
    async function look(): Promise<Reply['body']> {
      t.clock.now += 11_000
      const submissions = arrays.map(({ id, running }) => ({ id, verdict: 'running', queued: 0, running }))
      const { body } = await t.post(`/pipe_runs/${runId}/observe`, { listing_age_ms: 0, submissions })
      if (body.submission !== undefined) {
        const { id, width } = body.submission
        await t.put(`/pipe_runs/${runId}/submissions/${id}`, { state: 'submitted', scheduler_id: String(id) })
        arrays.push({ id, running: width })
      }
      return body.decision
    }
    expect(await look()).toEqual({ submit: true, width: 3, reason: 'first' })
    expect(await look()).toMatchObject({ submit: false })
    arrays[0]!.running = 1
    expect(await look()).toEqual({ submit: true, width: 2, reason: 'refill' })
    expect(await look()).toMatchObject({ submit: false })
    await t.put(`/pipe_runs/${runId}`, { throttle: 6 })
    expect(await look()).toEqual({ submit: true, width: 3, reason: 'refill' })
    await t.put(`/pipe_runs/${runId}`, { throttle: 2 })
    expect(await look()).toMatchObject({ submit: false })
  })

  it('W11 stores a submission before anybody submits it, with what was looked at, and never decides a second', async () => {
    const { runId } = await stageRun(t, independent(3))
    const first = await observeRun(t, runId, 'unknown')
    expect(first.body).toMatchObject({
      decision: { submit: true, width: 3, reason: 'first' },
      submission: { state: 'intended', inputs: { claimable: { fresh: 3, retried: 0 } } },
      run: { state: 'staged' },
    })
    expect(first.body.submission.name).toMatch(/^hr-[0-9a-f]{8}$/)
    // Whoever comes next, after a restart or beside the first, finds it and looks its name up.
    expect(await poll(runId, 20, 'unknown')).toEqual([])
    const { body } = await t.get(`/pipe_runs/${runId}`)
    expect(body.submissions).toHaveLength(1)
  })

  it('W1, S42 decides nothing over 50 looks while elements are queued and jobs are to be tried again', async () => {
    const staged = await stageRun(t, independent(20))
    await submitRun(t, staged.runId)
    const element = await seedElement(t, staged)
    const jobs = await claimFor(t, staged.workflowId, element, 20)
    await t.post(`/compute_nodes/${element}/release`, {
      claims: jobs.map(job => ({ job_id: job.id, claim_token: job.claim_token })),
    })
    await t.put(`/compute_nodes/${element}`, { is_active: false })
    expect(await poll(staged.runId, 50, 'queued', { queued: 10 })).toEqual([])
  })

  it('W2, S43 decides exactly one more when all is gone: as wide as there are jobs', async () => {
    const staged = await stageRun(t, independent(8))
    await submitRun(t, staged.runId)
    const element = await seedElement(t, staged)
    const jobs = await claimFor(t, staged.workflowId, element, 8)
    await endJobs(t, staged.workflowId, element, jobs.slice(0, 3))
    await t.post(`/compute_nodes/${element}/release`, {
      claims: jobs.slice(3).map(job => ({ job_id: job.id, claim_token: job.claim_token })),
    })
    await t.put(`/compute_nodes/${element}`, { is_active: false })
    await seeGone(staged.runId)
    expect(await poll(staged.runId, 20, 'unknown')).toEqual([5])
  })

  it('W4, S44 decides nothing before the grace is over', async () => {
    const { runId } = await stageRun(t, independent(3))
    await submitRun(t, runId)
    await seeGone(runId)
    t.clock.now += 110_000
    expect((await observeRun(t, runId, 'gone')).body.decision).toEqual({ submit: false, because: 'grace' })
    t.clock.now += 10_000
    expect((await observeRun(t, runId, 'gone')).body.decision).toMatchObject({ submit: true })
  })

  it('W5, S47 takes nothing from a listing that was begun before the scheduler had answered', async () => {
    const { runId } = await stageRun(t, independent(3))
    await submitRun(t, runId)
    t.clock.now += 5_000
    for (let k = 0; k < 5; k++) await observeRun(t, runId, 'gone', { ageMs: 6_000 + k })
    const { body } = await t.get(`/pipe_runs/${runId}`)
    expect(body.submissions[0]).toMatchObject({ state: 'submitted', liveness: 'alive' })
  })

  it('W6, S45 changes nothing over 50 looks at a scheduler that does not answer', async () => {
    const staged = await stageRun(t, independent(3))
    await submitRun(t, staged.runId)
    expect(await poll(staged.runId, 50, 'unknown')).toEqual([])
    const { body } = await t.get(`/pipe_runs/${staged.runId}`)
    expect(body).toMatchObject({ state: 'submitted', claimable: { fresh: 3 }, strikes: 0 })
    expect(body.submissions[0]).toMatchObject({ state: 'submitted', liveness: 'unknown' })
  })

  it('counts a runner as alive until its lease is over, or it has said goodbye', async () => {
    const staged = await stageRun(t, independent(3))
    await submitRun(t, staged.runId)
    const element = await seedElement(t, staged)
    await seeGone(staged.runId)
    t.clock.now += LEASE_MS - 10_000
    expect((await observeRun(t, staged.runId, 'gone')).body.decision).toMatchObject({ because: 'live_runners' })
    await t.post(`/pipe_runs/${staged.runId}/progress`, { compute_node_id: element })
    t.clock.now += LEASE_MS - 10_000
    expect((await observeRun(t, staged.runId, 'gone')).body.decision).toMatchObject({ because: 'live_runners' })
    t.clock.now += 20_000
    expect((await observeRun(t, staged.runId, 'gone')).body.decision).toMatchObject({ submit: true })
  })

  it('counts a runner as alive for as long as the lease that the run was staged with', async () => {
    const staged = await stageRun(t, independent(3), { staging: { spec: { lease_seconds: 30 }, grace_seconds: 1 } })
    await submitRun(t, staged.runId)
    await seedElement(t, staged)
    await seeGone(staged.runId)
    t.clock.now += 20_000
    expect((await observeRun(t, staged.runId, 'gone')).body.decision).toMatchObject({ because: 'live_runners' })
    t.clock.now += 20_000
    expect((await observeRun(t, staged.runId, 'gone')).body.decision).toMatchObject({ submit: true })
  })

  it('pauses after three arrays of which no runner registered; a resume decides again', async () => {
    const { runId } = await stageRun(t, independent(3))
    for (let k = 0; k < 3; k++) {
      await submitRun(t, runId)
      await seeGone(runId)
      t.clock.now += LEASE_MS
    }
    const { body } = await observeRun(t, runId, 'gone')
    expect(body).toMatchObject({
      decision: { because: 'paused' },
      run: { paused_reason: expect.stringMatching(/3 arrays/) },
    })
    await t.put(`/pipe_runs/${runId}`, { resume: true })
    // What was seen stands as it was: it takes three more to pause again only if these fail as well.
    expect((await t.get(`/pipe_runs/${runId}`)).body.paused_reason).toBeUndefined()
  })

  it('S36 leaves a run staged whose submission was refused, with the words, and decides again when asked', async () => {
    const { runId } = await stageRun(t, independent(3))
    const { body } = await observeRun(t, runId, 'unknown')
    await t.put(`/pipe_runs/${runId}/submissions/${body.submission.id}`, {
      state: 'refused',
      message: 'sbatch: error: invalid partition specified: nosuch',
    })
    const after = await t.get(`/pipe_runs/${runId}`)
    expect(after.body).toMatchObject({
      state: 'staged',
      submissions: [{ state: 'refused', message: expect.stringMatching(/partition/) }],
    })
    const again = await observeRun(t, runId, 'unknown', { asked: true })
    expect(again.body).toMatchObject({ decision: { submit: true, reason: 'first' } })
  })

  it('ends a run whose workflow was canceled, instead of asking for elements that would get nothing', async () => {
    const staged = await stageRun(t, independent(3))
    await t.put(`/workflows/${staged.workflowId}/cancel`)
    const { body } = await observeRun(t, staged.runId, 'unknown')
    expect(body).toMatchObject({
      decision: { because: 'over' },
      run: { state: 'canceled', reason: expect.any(String) },
    })
  })

  it('does not count jobs that need more than an element has', async () => {
    const staged = await stageRun(t, independent(3))
    const { workflowId, jobs, runId } = staged
    const set = await t.post('/resource_requirements', {
      workflow_id: workflowId,
      name: 'more',
      num_cpus: 1,
      num_gpus: 0,
      num_nodes: 1,
      memory: '64g',
      runtime: 'PT1M',
    })
    const job = (await t.get(`/jobs/${jobs[0]}`)).body
    await t.put(`/jobs/${jobs[0]}`, { ...job, resource_requirements_id: set.body.id })
    const { body } = await t.get(`/pipe_runs/${runId}`)
    expect(body).toMatchObject({ misfits: 1, claimable: { fresh: 2 } })
  })
})

describe('the end of a run', () => {
  async function endAll(staged: Staged, status = 'completed'): Promise<void> {
    const element = await seedElement(t, staged)
    await endJobs(t, staged.workflowId, element, await claimFor(t, staged.workflowId, element), status)
    await observeRun(t, staged.runId, 'unknown')
  }

  it('comes when all members have ended and their results were looked at', async () => {
    const staged = await stageRun(t)
    await endAll(staged)
    expect(await stateOf(staged.runId)).toBe('ingesting')
    const { body } = await t.post(`/pipe_runs/${staged.runId}/ingestion`, { unreadable: [] })
    expect(body.state).toBe('completed')
  })

  it('W12, S50 does not come while a file cannot be read', async () => {
    const staged = await stageRun(t)
    await endAll(staged)
    const torn = await t.post(`/pipe_runs/${staged.runId}/ingestion`, { unreadable: ['jobs/job_1/result.json'] })
    expect(torn.body).toMatchObject({ state: 'ingesting', unreadable: ['jobs/job_1/result.json'] })
    expect((await t.put(`/pipe_runs/${staged.runId}`, { state: 'completed' })).status).toBe(422)
    const mended = await t.post(`/pipe_runs/${staged.runId}/ingestion`, { unreadable: [] })
    expect(mended.body.state).toBe('completed')
  })

  it('is partial when a member failed', async () => {
    const staged = await stageRun(t)
    await endAll(staged, 'failed')
    const { body } = await t.post(`/pipe_runs/${staged.runId}/ingestion`, { unreadable: [] })
    expect(body.state).toBe('partial')
  })

  it('does not come while a member waits for its owner; the post step waits too', async () => {
    const staged = await stageRun(t, independent(2), {
      staging: { post_step: 'true' },
      workflow: { usePendingFailed: true },
    })
    await endAll(staged, 'pending_failed')
    await t.post(`/pipe_runs/${staged.runId}/ingestion`, { unreadable: [] })
    const { body } = await t.get(`/pipe_runs/${staged.runId}`)
    expect(body).toMatchObject({ state: 'active', ejected: 2, are_members_over: false })
    const claim = await t.post(`/pipe_runs/${staged.runId}/post_step/claim`, { by: 'me' })
    expect(claim.body.claimed).toBe(false)
    for (const id of staged.jobs) await t.post(`/jobs/${id}/fail`)
    await observeRun(t, staged.runId, 'unknown')
    await t.post(`/pipe_runs/${staged.runId}/ingestion`, { unreadable: [] })
    const now = await t.post(`/pipe_runs/${staged.runId}/post_step/claim`, { by: 'me' })
    expect(now.body.claimed).toBe(true)
  })

  it('S51 the post step is taken once, by one of many', async () => {
    const staged = await stageRun(t, independent(2), { staging: { post_step: 'true' } })
    await endAll(staged)
    const told = await t.post(`/pipe_runs/${staged.runId}/ingestion`, { unreadable: [] })
    expect(told.body).toMatchObject({ state: 'ingesting', post_state: 'due' })
    const claims = await Promise.all(
      ['a', 'b', 'c', 'd'].map(by => t.post(`/pipe_runs/${staged.runId}/post_step/claim`, { by })),
    )
    expect(claims.filter(claim => claim.body.claimed)).toHaveLength(1)
    const ended = await t.post(`/pipe_runs/${staged.runId}/post_step`, { return_code: 0 })
    expect(ended.body).toMatchObject({ state: 'completed', post_return_code: 0 })
    const again = await t.post(`/pipe_runs/${staged.runId}/post_step/claim`, { by: 'e' })
    expect(again.status).toBe(422)
  })

  it('is failure when the post step failed', async () => {
    const staged = await stageRun(t, independent(2), { staging: { post_step: 'false' } })
    await endAll(staged)
    await t.post(`/pipe_runs/${staged.runId}/post_step/claim`, { by: 'me' })
    const ended = await t.post(`/pipe_runs/${staged.runId}/post_step`, { return_code: 3 })
    expect(ended.body).toMatchObject({ state: 'failed', reason: expect.stringMatching(/post step ended with 3/) })
  })

  it('goes back to active when a member is reset and ready again', async () => {
    const staged = await stageRun(t)
    await endAll(staged)
    await t.post(`/workflows/${staged.workflowId}/jobs/reset`, { selector: { name: ['job_0'] } })
    await t.post(`/workflows/${staged.workflowId}/initialize_jobs?only_uninitialized=true`)
    await observeRun(t, staged.runId, 'unknown')
    expect(await stateOf(staged.runId)).toBe('active')
  })
})

describe('POST strikes', () => {
  it('S48 the third in a row is the end, one success between begins anew, and other runs go on', async () => {
    const { runId } = await stageRun(t)
    const other = await stageRun(t)
    const strike = (id = runId) => t.post(`/pipe_runs/${id}/strikes`, { error: 'no space left on device' })
    await strike()
    await strike()
    await strike(other.runId)
    await observeRun(t, runId, 'unknown')
    expect((await t.post(`/pipe_runs/${runId}/strikes`, {})).body.strikes).toBe(0)
    await strike()
    await strike()
    expect(await stateOf(runId)).toBe('staged')
    const last = await strike()
    expect(last.body).toMatchObject({
      state: 'failed',
      reason: expect.stringMatching(/no space left/),
      last_error: 'no space left on device',
    })
    expect(await stateOf(other.runId)).toBe('staged')
  })
})

describe('a run that is over', () => {
  it.each<PipeState>(['completed', 'partial', 'failed', 'canceled'])(
    'S49 is not changed by anything when it is %s, nor written to',
    async state => {
      const { runId } = await stageRun(t)
      await t.db.write(() => run('UPDATE pipe_run SET state = ? WHERE id = ?', state, runId))
      const { body: before } = await t.get(`/pipe_runs/${runId}`)
      const replies = [
        await observeRun(t, runId, 'gone'),
        await t.post(`/pipe_runs/${runId}/strikes`, { error: 'x' }),
        await t.post(`/pipe_runs/${runId}/ingestion`, { unreadable: ['x'] }),
        await t.post(`/pipe_runs/${runId}/post_step/claim`, { by: 'me' }),
        await t.post(`/pipe_runs/${runId}/post_step`, { return_code: 0 }),
        await t.put(`/pipe_runs/${runId}`, { resume: true }),
      ]
      expect(replies.map(reply => reply.status)).toEqual(replies.map(() => 422))
      expect((await t.get(`/pipe_runs/${runId}`)).body).toEqual(before)
    },
  )
})

describe('POST cancel', () => {
  it('S21 cancels the members that have not ended, without touching a budget; the second time does nothing', async () => {
    const staged = await stageRun(t, independent(3))
    await submitRun(t, staged.runId)
    const element = await seedElement(t, staged)
    const jobs = await claimFor(t, staged.workflowId, element, 2)
    await endJobs(t, staged.workflowId, element, jobs.slice(0, 1))
    const first = await t.post(`/pipe_runs/${staged.runId}/cancel`)
    expect(first.body).toMatchObject({ state: 'canceled', was_open: true, canceled_jobs: 2 })
    const { body } = await t.get(`/pipe_runs/${staged.runId}`)
    expect(body.members.by_status).toMatchObject({ completed: 1, canceled: 2 })
    const second = await t.post(`/pipe_runs/${staged.runId}/cancel`)
    expect(second.body).toMatchObject({ state: 'canceled', was_open: false, canceled_jobs: 0 })
    const heartbeat = await t.post(`/compute_nodes/${element}/heartbeat`, {
      claims: [{ job_id: jobs[1]!.id, claim_token: jobs[1]!.claim_token, running: true }],
    })
    expect(heartbeat.body.cancel).toEqual([jobs[1]!.id])
    expect((await t.get(`/jobs/${jobs[1]!.id}/attempts`)).body.items).toEqual([])
  })
})
