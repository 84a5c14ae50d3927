import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type TestApp, testApp } from '../helpers/app.ts'
import { resultOf, seedJob, seedNode, seedWorkflow } from '../helpers/seed.ts'

/** The table of contract/notes.md 18: a completion of a job that was never leased, whose lease is over, or whose lease lives. */

let t: TestApp
let w: number
let job: number
let node: number
beforeEach(async () => {
  t = await testApp()
  w = await seedWorkflow(t)
  job = await seedJob(t, w)
  node = await seedNode(t, w)
  await t.post(`/workflows/${w}/initialize_jobs`)
})
afterEach(() => t.close())

const LEASE_SECONDS = 60

/** Claims the job, with a lease or without one, and gives its token. */
async function claim(lease?: number): Promise<string> {
  const body = { compute_node_id: node, start: true, ...(lease === undefined ? {} : { lease_seconds: lease }) }
  const { body: reply } = await t.post(`/workflows/${w}/claim_next_jobs?limit=1`, body)
  return reply.jobs[0].claim_token
}

type Given = { claim_token?: string }

async function completeInBatch(given: Given): Promise<{ code: string; completed: number[] }> {
  const entry = { job_id: job, status: 'completed', run_id: 0, ...given, result: resultOf(w, job, node) }
  const { status, body } = await t.post(`/workflows/${w}/batch_complete_jobs`, { completions: [entry], verdicts: true })
  expect(status).toBe(200)
  expect(body.verdicts).toMatchObject([{ index: 0, job_id: job }])
  return { code: body.verdicts[0].code, completed: body.completed }
}

const completeAlone = (given: Given, query = '') =>
  t.post(`/jobs/${job}/complete_job/completed/0${query}`, { ...resultOf(w, job, node), ...given })

describe.each<[string, () => Promise<void>]>([
  ['was claimed without a lease', async () => void (await claim())],
  [
    'has a lease that has lapsed',
    async () => {
      await claim(LEASE_SECONDS)
      t.clock.now += LEASE_SECONDS * 1000 + 1
    },
  ],
])('a completion of a job that %s', (_, prepare) => {
  it('without a token is judged as any client of the contract is', async () => {
    await prepare()
    expect(await completeInBatch({})).toEqual({ code: 'accepted', completed: [job] })
    expect(await completeInBatch({})).toEqual({ code: 'duplicate', completed: [job] })
  })

  it('with a wrong token is lost_claim', async () => {
    await prepare()
    expect(await completeInBatch({ claim_token: 'wrong' })).toEqual({ code: 'lost_claim', completed: [] })
    expect(await completeAlone({ claim_token: 'wrong' })).toMatchObject({
      status: 409,
      body: { error: { code: 'lost_claim' } },
    })
  })
})

describe('a completion of a job that has a live lease', () => {
  it('without a token is lost_claim: 409', async () => {
    await claim(LEASE_SECONDS)
    expect(await completeInBatch({})).toEqual({ code: 'lost_claim', completed: [] })
    expect(await completeAlone({})).toMatchObject({ status: 409, body: { error: { code: 'lost_claim' } } })
    expect((await t.get(`/jobs/${job}`)).body.status).toBe('running')
  })

  it('with a wrong token is lost_claim', async () => {
    await claim(LEASE_SECONDS)
    expect(await completeInBatch({ claim_token: 'wrong' })).toEqual({ code: 'lost_claim', completed: [] })
  })

  it('with its token is accepted', async () => {
    const claim_token = await claim(LEASE_SECONDS)
    expect(await completeInBatch({ claim_token })).toEqual({ code: 'accepted', completed: [job] })
  })

  it('without a token but with force is accepted, and fences the runner out', async () => {
    const claim_token = await claim(LEASE_SECONDS)
    expect((await completeAlone({}, '?force=true')).body.status).toBe('completed')
    const late = {
      job_id: job,
      status: 'failed',
      run_id: 0,
      claim_token,
      result: { ...resultOf(w, job, node), status: 'failed', return_code: 1 },
    }
    const { body } = await t.post(`/workflows/${w}/batch_complete_jobs`, { completions: [late], verdicts: true })
    expect(body.verdicts[0].code).toBe('already_final')
  })
})

it('a completion alone takes the token beside the result', async () => {
  const claim_token = await claim(LEASE_SECONDS)
  expect((await completeAlone({ claim_token })).body.status).toBe('completed')
})

it('a completion alone with a status that is no word of the contract is 400', async () => {
  expect((await t.post(`/jobs/${job}/complete_job/done/0`, resultOf(w, job, node))).status).toBe(400)
})

describe('each code', () => {
  const entry = (fields: object = {}, result: object = {}) => {
    const whole = { job_id: job, status: 'completed', run_id: 0, ...fields }
    return {
      ...whole,
      result: resultOf(w, whole.job_id, node, { status: whole.status, run_id: whole.run_id, ...result }),
    }
  }

  it.each<[string, number, () => Promise<object>]>([
    ['stale_run', 422, async () => entry({ run_id: 3 })],
    ['mismatch', 422, async () => entry({}, { job_id: 77 })],
    ['mismatch', 422, async () => entry({}, { workflow_id: 77 })],
    ['mismatch', 422, async () => entry({}, { status: 'failed' })],
    ['mismatch', 422, async () => entry({}, { run_id: 3 })],
    ['mismatch', 422, async () => entry({}, { compute_node_id: 77 })],
    ['illegal_status', 422, async () => entry({ status: 'running' })],
    ['not_found', 404, async () => entry({ job_id: 77 })],
  ])('%s is the verdict in a batch, and the code of %i alone', async (code, status, make) => {
    const body = (await make()) as ReturnType<typeof entry>
    const batch = await t.post(`/workflows/${w}/batch_complete_jobs`, { completions: [body], verdicts: true })
    expect(batch).toMatchObject({ status: 200, body: { completed: [], verdicts: [{ index: 0, code }] } })
    expect(batch.body.errors).toEqual([{ job_id: body.job_id, message: expect.any(String) }])
    const alone = await t.post(`/jobs/${body.job_id}/complete_job/${body.status}/${body.run_id}`, body.result)
    expect(alone).toMatchObject({ status, body: { error: { code } } })
    expect((await t.get(`/results?workflow_id=${w}&all_runs=true`)).body.total_count).toBe(0)
  })

  it('wrong_workflow is the verdict on a job of another workflow', async () => {
    const other = await seedWorkflow(t)
    const batch = await t.post(`/workflows/${other}/batch_complete_jobs`, { completions: [entry()], verdicts: true })
    expect(batch.body.verdicts).toEqual([{ index: 0, job_id: job, code: 'wrong_workflow' }])
  })

  it('already_final is the verdict on another outcome, and says the status', async () => {
    await completeInBatch({})
    const other = entry({ status: 'failed' }, { return_code: 1 })
    const batch = await t.post(`/workflows/${w}/batch_complete_jobs`, { completions: [other], verdicts: true })
    expect(batch.body.verdicts[0].code).toBe('already_final')
    expect(batch.body.errors[0].message).toMatch(/already complete.*completed/)
    const alone = await t.post(`/jobs/${job}/complete_job/failed/0`, other.result)
    expect(alone).toMatchObject({ status: 422, body: { error: { code: 'already_final' } } })
  })

  it('without verdicts: true the reply is that of the contract', async () => {
    const { body } = await t.post(`/workflows/${w}/batch_complete_jobs`, { completions: [entry()] })
    expect(body).not.toHaveProperty('verdicts')
    expect(body).toMatchObject({ completed: [job], errors: [] })
  })
})
