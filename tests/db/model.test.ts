import fc from 'fast-check'
import { expect, it } from 'vitest'
import { isComplete, statusWord } from '../../api/core/status.ts'
import { all } from '../../db/unit.ts'
import { type TestApp, testApp } from '../helpers/app.ts'
import { completionOf } from '../helpers/completion.ts'
import { assertInvariants } from '../helpers/invariants.ts'
import { jobOf, type Started, startWorkflow, workflowOf } from '../helpers/workflow.ts'
import { Model } from './model.ts'

const LOSS_BUDGET = 2

/** Random jobs; each waits for some of those before it. */
const jobs = fc
  .array(
    fc.record({
      dependsOn: fc.uniqueArray(fc.nat(9), { maxLength: 3 }),
      cancelOnFailure: fc.boolean(),
      priority: fc.nat(2),
    }),
    {
      minLength: 1,
      maxLength: 10,
    },
  )
  .map(list => list.map((job, at) => ({ ...job, dependsOn: job.dependsOn.filter(other => other < at) })))

/** `pick` chooses among the jobs a step is possible for. */
const step = fc.oneof(
  fc.record({
    kind: fc.constant('claim' as const),
    limit: fc.integer({ min: 1, max: 4 }),
    lease: fc.boolean(),
    start: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant('end' as const),
    picks: fc.array(fc.nat(9), { minLength: 1, maxLength: 4 }),
    status: fc.constantFrom('completed', 'completed', 'failed', 'terminated', 'canceled', 'pending_failed'),
  }),
  fc.record({
    kind: fc.constant('end_unclaimed' as const),
    pick: fc.nat(9),
    status: fc.constantFrom('completed', 'failed'),
  }),
  fc.record({ kind: fc.constant('allocation_end' as const), pick: fc.nat(9) }),
  fc.record({ kind: fc.constant('release' as const), pick: fc.nat(9), lost: fc.boolean() }),
  fc.record({ kind: fc.constant('retry' as const), pick: fc.nat(9) }),
  fc.record({ kind: fc.constant('initialize' as const) }),
  fc.record({ kind: fc.constant('resend' as const) }),
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never
type Held = { at: number; token: string; attempt: number; leased: boolean }

/** The database beside its model: each step goes through the API and through the model. */
class Run {
  readonly t: TestApp
  readonly started: Started
  readonly model: Model
  #held: Held[] = []
  #last: object[] = []

  constructor(t: TestApp, started: Started, model: Model) {
    this.t = t
    this.started = started
    this.model = model
  }

  async take(now: Step): Promise<void> {
    switch (now.kind) {
      case 'claim':
        return this.#claim(now.limit, now.lease, now.start)
      case 'end': {
        const chosen = [...new Set(now.picks.map(pick => this.#held[pick % this.#held.length]))].filter(
          held => held !== undefined,
        )
        const fields = { status: now.status }
        await this.#complete(
          chosen.map(held =>
            completionOf(this.started, this.#id(held.at), {
              claim_token: held.token,
              attempt_id: held.attempt,
              ...fields,
            }),
          ),
        )
        for (const held of chosen) this.model.end(held.at, now.status)
        return this.#forget(chosen)
      }
      case 'end_unclaimed': {
        const at = this.#pick(
          now.pick,
          job => !isComplete(job.status) && job.status !== 'pending' && job.status !== 'running',
        )
        if (at === undefined) return
        await this.#complete([
          completionOf(this.started, this.#id(at), { status: now.status, attempt_id: this.model.jobs[at]!.attempt }),
        ])
        return this.model.end(at, now.status)
      }
      case 'allocation_end': {
        const held = this.#held[now.pick % this.#held.length]
        if (held === undefined) return
        const end = { status: 'terminated', return_code: 152, failure_class: 'allocation_end' }
        await this.#complete([
          completionOf(this.started, this.#id(held.at), { claim_token: held.token, attempt_id: held.attempt, ...end }),
        ])
        this.model.endWithAllocation(held.at)
        return this.#forget([held])
      }
      case 'release': {
        const held = this.#held[now.pick % this.#held.length]
        if (held === undefined) return
        const claims = [
          { job_id: this.#id(held.at), claim_token: held.token, lost: now.lost ? 'node_lost' : undefined },
        ]
        expect((await this.t.post(`/compute_nodes/${this.started.nodeId}/release`, { claims })).status).toBe(200)
        if (now.lost) this.model.loseNode(held.at)
        else this.model.release(held.at)
        return this.#forget([held])
      }
      case 'retry': {
        const at = this.#pick(now.pick, job => job.status === 'failed' || job.status === 'terminated')
        if (at === undefined) return
        expect((await this.t.post(`/jobs/${this.#id(at)}/retry/0?max_retries=999`)).status).toBe(200)
        return this.model.retry(at)
      }
      case 'initialize': {
        // Live leases would be kept; the model knows none.
        if (this.#held.some(held => held.leased)) return
        expect((await this.t.post(`/workflows/${this.started.workflowId}/initialize_jobs`)).status).toBe(200)
        this.#held = []
        // Run and attempt stay the same (contract/notes.md 8.1), so without a token an old report cannot be told from a new one.
        this.#last = this.#last.filter(entry => 'claim_token' in entry)
        return this.model.initialize()
      }
      case 'resend':
        return this.#resend()
    }
  }

  async #claim(limit: number, leased: boolean, start: boolean): Promise<void> {
    const expected = this.model.next(limit)
    const body = { compute_node_id: this.started.nodeId, start, lease_seconds: leased ? 60 : undefined }
    const reply = await this.t.post(`/workflows/${this.started.workflowId}/claim_next_jobs?limit=${limit}`, body)
    type Job = { id: number; claim_token: string; attempt_id: number }
    const held = reply.body.jobs.map(
      (job: Job): Held => ({
        at: this.started.jobs.indexOf(job.id),
        token: job.claim_token,
        attempt: job.attempt_id,
        leased,
      }),
    )
    expect(held.map((one: Held) => one.at)).toEqual(expected)
    this.model.claim(expected, start ? 'running' : 'pending')
    this.#held.push(...held)
  }

  async #complete(completions: { job_id: number }[]): Promise<void> {
    const reply = await this.t.post(`/workflows/${this.started.workflowId}/batch_complete_jobs`, { completions })
    expect(reply.body).toMatchObject({ completed: completions.map(entry => entry.job_id), errors: [] })
    this.#last = completions
  }

  /** Whatever has happened since, a batch that is sent again changes nothing. */
  async #resend(): Promise<void> {
    const reply = await this.t.post(`/workflows/${this.started.workflowId}/batch_complete_jobs`, {
      completions: this.#last,
    })
    expect(reply.status).toBe(200)
  }

  #id = (at: number): number => this.started.jobs[at]!

  #pick(pick: number, may: (job: Model['jobs'][number]) => boolean): number | undefined {
    const possible = this.model.jobs.flatMap((job, at) => (may(job) ? [at] : []))
    return possible[pick % possible.length]
  }

  #forget(gone: readonly Held[]): void {
    this.#held = this.#held.filter(held => !gone.includes(held))
  }

  async compare(): Promise<void> {
    type Row = { status: number; attempt: number; losses: number; results: number }
    const rows = await this.t.db.read(() =>
      all<Row>(
        'SELECT status, attempt_id AS attempt, losses, results FROM job WHERE workflow_id = ? ORDER BY id',
        this.started.workflowId,
      ),
    )
    expect(rows.map(row => ({ ...row, status: statusWord(row.status) }))).toEqual(
      this.model.jobs.map(({ status, attempt, losses, ended }) => ({ status, attempt, losses, results: ended.size })),
    )
  }
}

it('any claims, completions, losses, retries and resends leave the database as the model says, and every invariant whole', async () => {
  const t = await testApp()
  try {
    await fc.assert(
      fc.asyncProperty(jobs, fc.array(step, { maxLength: 25 }), async (list, steps) => {
        const model = new Model(list, LOSS_BUDGET)
        const expanded = list.map((job, at) =>
          jobOf(`job_${at}`, {
            dependsOn: job.dependsOn,
            cancelOnBlockingJobFailure: job.cancelOnFailure,
            priority: job.priority,
          }),
        )
        const started = await startWorkflow(t, workflowOf(expanded, { lossBudget: LOSS_BUDGET }))
        const run = new Run(t, started, model)
        await run.compare()
        for (const now of steps) {
          await run.take(now)
          await run.compare()
          await assertInvariants(t.db, `after ${JSON.stringify(now)}`)
        }
        expect((await t.del(`/workflows/${started.workflowId}`)).status).toBe(200)
      }),
      { numRuns: 150 },
    )
  } finally {
    await t.close()
  }
}, 60_000)
