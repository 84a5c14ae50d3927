import { LEASE_SECONDS } from '../../api/core/leases.ts'
import { isComplete, statusWord } from '../../api/core/status.ts'
import { listProblems } from '../../db/check.ts'
import { all, type Unit } from '../../db/unit.ts'
import type { Incoming, Outgoing } from '../../runner/client/transport.ts'
import type { ExchangeReply, ExchangeRequest, ToldClaim } from '../../runner/wire.ts'

/** A process as the witness knows it. */
type Copy = { jobId: number; claimToken: string; node: string; cores: readonly number[]; sinceMs: number }

type JobRow = { id: number; status: number; attempt_id: number }

const LEASE_MS = LEASE_SECONDS * 1000

/**
 * Sees what every node does and what every request brings about, and holds it against the invariants of design.md. It knows nothing of the
 * code it watches but the wire.
 */
export class Witness {
  readonly violations: string[] = []
  /** How many of each the run has had: a check that had nothing to look at proves nothing. */
  readonly seen = { starts: 0, ends: 0, accepted: 0, duplicates: 0, refused: 0, salvaged: 0, rescued: 0, checks: 0 }
  readonly #clock: () => number
  readonly #copies = new Map<number, Set<Copy>>()
  readonly #startedTokens = new Set<string>()
  readonly #acceptedTokens = new Set<string>()
  /** Claims whose processes have ended by themselves, and claims that the server was told the end of. */
  readonly #endedTokens = new Set<string>()
  readonly #toldTokens = new Set<string>()
  /** The claim under which a job goes on that was taken back from a runner and given to it again. */
  readonly #nextTokens = new Map<string, string>()
  /** When the server has granted or renewed a claim, by its token. */
  readonly #leasedAtMs = new Map<string, number>()
  readonly #terminal = new Map<number, number>()
  readonly #attempts = new Map<number, number>()

  constructor(clock: () => number) {
    this.#clock = clock
  }

  // ---- what nodes do ----

  started(copy: Omit<Copy, 'sinceMs'>, running: Iterable<{ cores: readonly number[] }>, total: number): Copy {
    this.seen.starts++
    const whole = { ...copy, sinceMs: this.#clock() }
    if (this.#startedTokens.has(copy.claimToken)) this.#violated(5, `claim ${copy.claimToken} was started twice`)
    this.#startedTokens.add(copy.claimToken)
    this.#checkCapacity(copy, running, total)
    const others = this.#copies.get(copy.jobId) ?? new Set<Copy>()
    for (const other of others) this.#checkOverlap(other, whole)
    others.add(whole)
    this.#copies.set(copy.jobId, others)
    return whole
  }

  ended(copy: Copy): void {
    this.#endedTokens.add(copy.claimToken)
    this.killed(copy)
  }

  /** It ended with its runner: nobody can tell how. */
  killed(copy: Copy): void {
    this.seen.ends++
    this.#copies.get(copy.jobId)?.delete(copy)
  }

  #checkCapacity(
    { node, cores }: Omit<Copy, 'sinceMs'>,
    running: Iterable<{ cores: readonly number[] }>,
    total: number,
  ) {
    const lent = new Set<number>()
    for (const one of running) for (const core of one.cores) lent.add(core)
    const shared = cores.filter(core => lent.has(core))
    if (shared.length > 0) this.#violated(6, `node ${node} lends core ${shared.join()} twice`)
    if (lent.size + cores.length > total) this.#violated(6, `node ${node} runs more than its ${total} cores`)
  }

  /** Two copies are right only where the lease of the older one has lapsed: then its runner is taken for dead. */
  #checkOverlap(older: Copy, newer: Copy): void {
    const leasedAtMs = this.#leasedAtMs.get(older.claimToken) ?? Number.NEGATIVE_INFINITY
    const sinceMs = this.#clock() - leasedAtMs
    if (sinceMs >= LEASE_MS) return
    this.#violated(
      5,
      `job ${newer.jobId} is started on ${newer.node} while it runs on ${older.node}, whose lease is ${Math.round(sinceMs / 1000)} s old`,
    )
  }

  // ---- what requests bring about ----

  /** To be told of every request that was handled, whether its reply arrives or not. */
  readonly observe = (request: Outgoing, reply: Incoming): void => {
    if (reply.status >= 500 && reply.status !== 503) this.#violated(8, `${request.path}: ${reply.status} ${reply.text}`)
    if (reply.status !== 200 || request.body === undefined) return
    if (request.path.endsWith('/batch_complete_jobs')) this.#observeExchange(request.body, reply.text)
    else if (request.path.endsWith('/heartbeat')) this.#observeHeartbeat(request.body, reply.text)
  }

  #observeExchange(body: string, text: string): void {
    const { completions } = JSON.parse(body) as ExchangeRequest
    const { verdicts = [], claimed = [] } = JSON.parse(text) as ExchangeReply
    // A claim that is repeated, since its reply was lost, gets the same leases again: they are as old as they are.
    for (const { claim_token } of claimed)
      if (!this.#leasedAtMs.has(claim_token)) this.#leasedAtMs.set(claim_token, this.#clock())
    for (const { index, code } of verdicts) {
      const { claim_token: token, job_id } = completions[index]!
      this.#toldTokens.add(token)
      if (code === 'accepted' || code === 'salvaged') {
        if (this.#acceptedTokens.has(token)) this.#violated(4, `the completion of job ${job_id} took effect twice`)
        this.#acceptedTokens.add(token)
      }
      if (code === 'accepted') this.seen.accepted++
      else if (code === 'duplicate') this.seen.duplicates++
      else if (code === 'salvaged') this.seen.salvaged++
      else this.seen.refused++
    }
  }

  #observeHeartbeat(body: string, text: string): void {
    const { claims } = JSON.parse(body) as { claims: ToldClaim[] }
    const { lost, reclaimed } = JSON.parse(text) as {
      lost: number[]
      reclaimed: { job_id: number; claim_token: string }[]
    }
    const gone = new Set(lost)
    for (const { job_id, claim_token } of claims)
      if (!gone.has(job_id)) this.#leasedAtMs.set(claim_token, this.#clock())
    for (const { job_id, claim_token } of reclaimed) {
      this.#leasedAtMs.set(claim_token, this.#clock())
      const former = claims.find(claim => claim.job_id === job_id)
      if (former !== undefined) this.#nextTokens.set(former.claim_token, claim_token)
    }
    this.seen.rescued += reclaimed.length
  }

  // ---- what the database says ----

  /** Checks what has to hold between the rows, and that nothing final or grown has gone back since the last look. */
  *look(): Unit<void> {
    this.seen.checks++
    for (const { what, rows } of yield* listProblems()) this.#violated(7, `${what}: ${rows.join(' ')}`)
    for (const { id, status, attempt_id } of yield* all<JobRow>('SELECT id, status, attempt_id FROM job')) {
      const before = this.#terminal.get(id)
      if (before !== undefined && before !== status)
        this.#violated(2, `job ${id} went from ${statusWord(before)} to ${statusWord(status)}`)
      if (isComplete(statusWord(status))) this.#terminal.set(id, status)
      if (attempt_id < (this.#attempts.get(id) ?? 0))
        this.#violated(1, `the attempt of job ${id} went back to ${attempt_id}`)
      this.#attempts.set(id, attempt_id)
    }
  }

  /** To be asked when every outbox was emptied: no end that a runner has seen may be missing. */
  lookForUntold(): void {
    for (const ended of this.#endedTokens) {
      let token: string | undefined = ended
      while (token !== undefined && !this.#toldTokens.has(token)) token = this.#nextTokens.get(token)
      if (token === undefined) this.#violated(5, `the end of claim ${ended} is in no outbox and was never told`)
    }
  }

  /** To be asked when faults have been over for long: nothing may be left to do. */
  *lookForUnfinished(): Unit<number> {
    const rows = yield* all<JobRow>('SELECT id, status, attempt_id FROM job')
    const open = rows.filter(({ status }) => !isComplete(statusWord(status)))
    if (open.length > 0)
      this.#violated(
        8,
        `jobs without a final state: ${open.map(({ id, status }) => `${id} (${statusWord(status)})`).join(', ')}`,
      )
    return rows.length
  }

  #violated(invariant: number, what: string): void {
    this.violations.push(`${new Date(this.#clock()).toISOString()} invariant ${invariant}: ${what}`)
  }
}
