import fc from 'fast-check'
import { expect, it } from 'vitest'
import { isComplete, statusWord } from '../../api/core/status.ts'
import { tick } from '../../db/tick.ts'
import { all } from '../../db/unit.ts'
import { type TestApp, testApp } from '../helpers/app.ts'
import { OVER_SQLD } from '../helpers/back-end.ts'
import { completionOf } from '../helpers/completion.ts'
import { assertInvariants } from '../helpers/invariants.ts'
import { jobOf, type Started, startWorkflow, workflowOf } from '../helpers/workflow.ts'
import { Model, type ModelJob } from './model.ts'

const LOSS_BUDGET = 2
const LEASE_SECONDS = 60
/** What a heartbeat gives that takes a job back. */
const RECLAIMED_SECONDS = 120

/** Random jobs; each waits for some of those before it. */
const jobs = fc
  .array(
    fc.record({
      dependsOn: fc.uniqueArray(fc.nat(9), { maxLength: 3 }),
      cancelOnFailure: fc.boolean(),
      priority: fc.nat(2),
    }),
    { minLength: 2, maxLength: 10 },
  )
  .map(list => list.map((job, at) => ({ ...job, dependsOn: job.dependsOn.filter(other => other < at) })))

/** A step that others build on, or that needs several before it. */
const often = <T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }) => ({ weight: 3, arbitrary: fc.record(fields) })
const rarely = <T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }) => ({ weight: 1, arbitrary: fc.record(fields) })

/** `pick` chooses among the jobs a step is possible for. */
const step = fc.oneof(
  often({
    kind: fc.constant('claim' as const),
    limit: fc.integer({ min: 1, max: 4 }),
    ahead: fc.nat(2),
    lease: fc.boolean(),
    start: fc.boolean(),
  }),
  rarely({
    kind: fc.constant('end' as const),
    picks: fc.array(fc.nat(9), { minLength: 1, maxLength: 4 }),
    status: fc.constantFrom('completed', 'completed', 'failed', 'terminated', 'canceled', 'pending_failed'),
  }),
  rarely({
    kind: fc.constant('end_unclaimed' as const),
    pick: fc.nat(9),
    status: fc.constantFrom('completed', 'failed'),
  }),
  rarely({ kind: fc.constant('allocation_end' as const), pick: fc.nat(9) }),
  rarely({ kind: fc.constant('release' as const), pick: fc.nat(9), lost: fc.boolean() }),
  rarely({ kind: fc.constant('retry' as const), pick: fc.nat(9) }),
  rarely({ kind: fc.constant('initialize' as const) }),
  often({
    kind: fc.constant('pass' as const),
    seconds: fc.constantFrom(20, 60, 60),
    renewed: fc.constantFrom(false, false, true),
  }),
  often({
    kind: fc.constant('late' as const),
    pick: fc.nat(9),
    how: fc.constantFrom('completed', 'failed', 'running'),
  }),
  rarely({ kind: fc.constant('resend' as const) }),
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never
/** `heldAhead`: claimed for later. Without a lease both of its numbers are infinite. */
type Held = {
  at: number
  token: string
  attempt: number
  heldAhead: boolean
  leaseSeconds: number
  leaseEndsAt: number
}

/** The database beside its model: each step goes through the API and through the model. */
class Run {
  readonly t: TestApp
  readonly started: Started
  readonly model: Model
  #held: Held[] = []
  #last: object[] = []
  /** Claims that were taken back: their runner does not know yet. */
  #stale: Held[] = []

  constructor(t: TestApp, started: Started, model: Model) {
    this.t = t
    this.started = started
    this.model = model
  }

  async take(now: Step): Promise<void> {
    switch (now.kind) {
      case 'claim':
        return this.#claim(now)
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
        if (this.#held.some(held => held.leaseEndsAt < Infinity)) return
        expect((await this.t.post(`/workflows/${this.started.workflowId}/initialize_jobs`)).status).toBe(200)
        this.#held = []
        // Run and attempt stay the same (contract/notes.md 8.1), so without a token an old report cannot be told from a new one.
        this.#last = this.#last.filter(entry => 'claim_token' in entry)
        return this.model.initialize()
      }
      case 'resend':
        return this.#resend()
      case 'pass':
        return this.#pass(now.seconds, now.renewed)
      case 'late':
        return this.#comeLate(now.pick, now.how)
    }
  }

  async #claim({ limit, ahead, lease, start }: Extract<Step, { kind: 'claim' }>): Promise<void> {
    const expected = this.model.next(limit + ahead)
    const body = {
      compute_node_id: this.started.nodeId,
      start,
      lease_seconds: lease ? LEASE_SECONDS : undefined,
      hold: { jobs: ahead, num_cpus: 1, memory_gb: 1 },
    }
    const reply = await this.t.post(`/workflows/${this.started.workflowId}/claim_next_jobs?limit=${limit}`, body)
    type Job = { id: number; claim_token: string; attempt_id: number }
    const held = reply.body.jobs.map(
      (job: Job, index: number): Held => ({
        at: this.started.jobs.indexOf(job.id),
        token: job.claim_token,
        attempt: job.attempt_id,
        heldAhead: index >= limit,
        leaseSeconds: lease ? LEASE_SECONDS : Infinity,
        leaseEndsAt: lease ? this.t.clock.now + LEASE_SECONDS * 1000 : Infinity,
      }),
    )
    expect(held.map((one: Held) => one.at)).toEqual(expected)
    this.model.claim(expected.slice(0, limit), start ? 'running' : 'pending')
    this.model.claim(expected.slice(limit), 'pending')
    this.#held.push(...held)
  }

  /** Time goes by, with or without a heartbeat at its end; then the server looks at its leases. */
  async #pass(seconds: number, renewed: boolean): Promise<void> {
    this.t.clock.now += seconds * 1000
    if (renewed) {
      expect(await this.#heartbeat(this.#held, false)).toMatchObject({ lost: [], cancel: [], reclaimed: [] })
      for (const held of this.#held) held.leaseEndsAt = this.t.clock.now + held.leaseSeconds * 1000
    }
    await tick(this.t.db, this.t.clock.now)
    const lapsed = this.#held.filter(held => held.leaseEndsAt <= this.t.clock.now)
    for (const held of lapsed) {
      if (held.heldAhead) this.model.release(held.at)
      else {
        this.model.loseNode(held.at)
        this.#stale.push(held)
      }
    }
    this.#forget(lapsed)
  }

  /** A runner that has lost a job speaks of it: it reports its end, or still runs it. */
  async #comeLate(pick: number, how: 'completed' | 'failed' | 'running'): Promise<void> {
    const stale = this.#stale[pick % this.#stale.length]
    if (stale === undefined) return
    const job = this.model.jobs[stale.at]!
    if (how === 'running') return this.#goOn(stale, job)
    const entry = completionOf(this.started, this.#id(stale.at), {
      claim_token: stale.token,
      attempt_id: stale.attempt,
      status: how,
    })
    const reply = await this.t.post(`/workflows/${this.started.workflowId}/batch_complete_jobs`, {
      verdicts: true,
      completions: [entry],
    })
    const { code } = reply.body.verdicts[0]
    if (isComplete(job.status)) expect(['already_final', 'duplicate']).toContain(code)
    else if (job.status === 'ready' && how === 'completed') {
      expect(code).toBe('salvaged')
      this.model.salvage(stale.at, stale.attempt)
    } else {
      expect(code).toBe('lost_claim')
      job.superseded.add(`${stale.attempt} ${how}`)
    }
  }

  async #goOn(stale: Held, job: ModelJob): Promise<void> {
    const reply = await this.#heartbeat([stale], true)
    const id = this.#id(stale.at)
    const isBack = job.status === 'ready' && job.attempt === stale.attempt + 1
    if (!isBack) {
      const fate = job.status === 'canceled' ? { lost: [], cancel: [id] } : { lost: [id], cancel: [] }
      expect(reply).toMatchObject({ ...fate, reclaimed: [] })
      return
    }
    expect(reply).toMatchObject({ lost: [], cancel: [], reclaimed: [{ job_id: id, attempt_id: job.attempt }] })
    this.model.reclaim(stale.at)
    this.#stale = this.#stale.filter(other => other !== stale)
    const leaseEndsAt = this.t.clock.now + RECLAIMED_SECONDS * 1000
    const token: string = reply.reclaimed[0].claim_token
    this.#held.push({ ...stale, token, attempt: job.attempt, leaseSeconds: RECLAIMED_SECONDS, leaseEndsAt })
  }

  async #heartbeat(claims: readonly Held[], running: boolean) {
    const told = claims.map(held => ({ job_id: this.#id(held.at), claim_token: held.token, running }))
    const reply = await this.t.post(`/compute_nodes/${this.started.nodeId}/heartbeat`, { claims: told })
    expect(reply.status).toBe(200)
    return reply.body
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
      this.model.jobs.map(({ status, attempt, losses, ended, superseded }) => ({
        status,
        attempt,
        losses,
        results: ended.size + superseded.size,
      })),
    )
  }
}

it('any claims, leases, completions, losses, retries and resends leave the database as the model says, and every invariant whole', async () => {
  const t = await testApp()
  try {
    await fc.assert(
      fc.asyncProperty(jobs, fc.array(step, { minLength: 10, maxLength: 25 }), async (list, steps) => {
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
      // A server takes ten times as long.
      { numRuns: OVER_SQLD ? 8 : 150 },
    )
  } finally {
    await t.close()
  }
}, 60_000)
