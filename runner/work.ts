import type { Attempt, EndReason } from './attempt.ts'
import type { Grant, Ledger, Need } from './capacity/ledger.ts'
import type { EndingTimes, JobEnd } from './execution-settings.ts'
import { HELD_AT_MOST_MS, type Pace } from './holding.ts'
import { labelOf } from './launch-label.ts'
import type { Exited, Launcher, LaunchRequest, Started } from './launcher/types.ts'
import type { AdoptedJob } from './take-over.ts'
import type { ClaimedJob, ToldClaim } from './wire.ts'

/** Turns a claimed job into what the launcher needs. */
export type Prepare = (
  job: ClaimedJob,
  grant: Grant,
) => { attempt: Attempt } & Pick<LaunchRequest, 'argv' | 'env' | 'cpus' | 'job'>

/** Brings a running attempt under the claim its job has now, which is of the next attempt. */
export type Readopt = (attempt: Attempt, claim: { claimToken: string; attemptId: number }) => Attempt

/** How a job ends that must, and when it has to in any case. */
export type EndOf = (job: ClaimedJob) => JobEnd & Partial<EndingTimes>

export type WorkOptions = {
  ledger: Ledger
  pace: Pace
  prepare: Prepare
  readopt: Readopt
  /** Queue-depth mode: requirements are ignored. */
  bySlots: boolean
  /** How a job is asked to end that must, and how long it has then. */
  endOf: EndOf
  /** When the first jobs are ended because of the time, epoch milliseconds; Infinity = never. */
  drainAtMs(): number
  clock: () => number
  /** Whether anything may be started now. */
  mayStart(): boolean
}

/** A job of this runner from launch request to exit. `queued`: the launcher starts it when its predecessor has ended. */
export type Launch = {
  tag: number
  job: ClaimedJob
  grant: Grant
  attempt: Attempt
  state: 'queued' | 'running'
  heldSinceMs: number
  requestedAtMs: number
  startedAtMs: number
  predecessor: Launch | undefined
  successor: Launch | undefined
  /** Set when the runner ends the job itself; the first reason stays. */
  reason: EndReason | undefined
  killAtMs: number | undefined
  /** Asked back from the launcher: once is enough, since a refusal means that it has started. */
  recalled: boolean
}

/** A claimed job that is not with the launcher yet. */
export type Held = { job: ClaimedJob; sinceMs: number }

/** A queued successor whose predecessor goes on this long is started elsewhere as soon as there is room. */
const QUEUED_PATIENCE_MS = 50

/**
 * The jobs of this runner from claim to exit: held, queued at the launcher, running. Starts and ends them and keeps the ledger right;
 * it talks to the launcher only.
 */
export class Work {
  readonly #options: WorkOptions
  readonly #launches = new Map<number, Launch>()
  #launcher: Launcher | undefined
  #held: Held[] = []
  #nextTag = 1
  /** Why everything is being ended; what the launcher starts from its queue in that moment is ended too. */
  #endingAll: EndReason | undefined

  constructor(options: WorkOptions) {
    this.#options = options
  }

  use(launcher: Launcher): void {
    this.#launcher = launcher
  }

  // ---- what there is ----

  get endingAll(): EndReason | undefined {
    return this.#endingAll
  }

  get isEmpty(): boolean {
    return this.#launches.size === 0 && this.#held.length === 0
  }

  /** Whether the launcher has anything of ours. */
  get isLaunching(): boolean {
    return this.#launches.size > 0
  }

  running(): Launch[] {
    return [...this.#launches.values()].filter(one => one.state === 'running')
  }

  /** Claimed and not started: held, or queued at the launcher. */
  waitingCount(): number {
    return this.#held.length + this.#launches.size - this.runningCount()
  }

  runningCount(): number {
    let n = 0
    for (const one of this.#launches.values()) if (one.state === 'running') n++
    return n
  }

  /** Everything of this runner that is claimed and has not ended. */
  claims(): ToldClaim[] {
    const told = ({ id, claim_token }: ClaimedJob, running: boolean) => ({ job_id: id, claim_token, running })
    const launches = [...this.#launches.values()].map(one => told(one.job, one.state === 'running'))
    return [...launches, ...this.#held.map(({ job }) => told(job, false))]
  }

  /** The jobs of these workflows. */
  jobsOf(workflowIds: ReadonlySet<number>): Set<number> {
    const jobs = [...[...this.#launches.values()].map(one => one.job), ...this.#held.map(({ job }) => job)]
    return new Set(jobs.filter(job => workflowIds.has(job.workflow_id)).map(job => job.id))
  }

  /** Whether a copy of a job that is somebody else's by now still runs here. */
  get isEndingLost(): boolean {
    for (const one of this.#launches.values()) if (one.reason === 'lost') return true
    return false
  }

  /** What a held job may need at most: no more than some job leaves to its successor. */
  largestNeed(): Need {
    let largest: Need = { cpus: 0, memoryBytes: 0, gpus: 0 }
    for (const one of this.#launches.values()) {
      const need = this.#needOf(one.job)
      const isLarger = need.cpus >= largest.cpus && need.memoryBytes >= largest.memoryBytes && need.gpus >= largest.gpus
      if (isLarger) largest = need
    }
    return largest
  }

  /**
   * Queue-depth mode ignores requirements on purpose; GPUs it has are lent out all the same. A job of several nodes has whole ones, this
   * one too.
   */
  #needOf({ resource_requirements: set }: ClaimedJob): Need {
    const { bySlots, ledger } = this.#options
    if (!bySlots && (set.num_nodes ?? 1) > 1) return ledger.total
    return {
      cpus: set.num_cpus,
      memoryBytes: set.memory_bytes,
      gpus: bySlots ? Math.min(set.num_gpus, ledger.total.gpus) : set.num_gpus,
    }
  }

  // ---- starting ----

  /** Takes jobs that were claimed now and starts what fits, in the order claimed. */
  take(jobs: readonly ClaimedJob[]): void {
    const sinceMs = this.#options.clock()
    for (const job of jobs) this.#held.push({ job, sinceMs })
    this.startHeld()
  }

  /** Starts held jobs while they fit, then queues the next ones behind those that run. */
  startHeld(): void {
    const { ledger, mayStart } = this.#options
    if (!mayStart()) return
    while (this.#held.length > 0) {
      const grant = ledger.reserve(this.#needOf(this.#held[0]!.job))
      if (grant === undefined) break
      this.#launch(this.#held.shift()!, grant)
    }
    this.#queueHeld()
  }

  /** Queues held jobs behind the running ones, evenly, so that the launcher goes on by itself for the next milliseconds. */
  #queueHeld(): void {
    if (this.#held.length === 0) return
    const { ledger, pace } = this.#options
    const queues = [...this.#launches.values()]
      .filter(one => one.predecessor === undefined && one.reason === undefined)
      .map(endOfQueue)
    const most = pace.queueDepth()
    for (let depth = 0; depth < most && this.#held.length > 0; depth++) {
      for (const queue of queues) {
        const next = this.#held[0]
        if (next === undefined) break
        if (queue.depth > depth) continue
        const grant = ledger.inherit(queue.last.grant, this.#needOf(next.job))
        if (grant === undefined) continue
        this.#held.shift()
        queue.last = this.#launch(next, grant, queue.last)
        queue.depth++
      }
    }
  }

  #launch({ job, sinceMs }: Held, grant: Grant, predecessor?: Launch): Launch {
    const { prepare, clock } = this.#options
    const { attempt, argv, env, cpus, job: watched } = prepare(job, grant)
    const now = clock()
    const one: Launch = {
      tag: this.#nextTag++,
      job,
      grant,
      attempt,
      state: predecessor === undefined ? 'running' : 'queued',
      heldSinceMs: sinceMs,
      requestedAtMs: now,
      startedAtMs: now,
      predecessor,
      successor: undefined,
      reason: undefined,
      killAtMs: undefined,
      recalled: false,
    }
    this.#launches.set(one.tag, one)
    if (predecessor !== undefined) predecessor.successor = one
    this.#launcher?.launch({
      tag: one.tag,
      label: labelOf(attempt),
      argv,
      env,
      cpus,
      job: watched,
      cwd: attempt.cwd,
      stdout: attempt.logs.stdout,
      stderr: attempt.logs.stderr,
      after: predecessor?.tag,
    })
    return one
  }

  /** Goes on with jobs that a former runner started; the launcher has them. New launches take tags from `nextTag` on. */
  adopt(jobs: readonly AdoptedJob[], nextTag: number): void {
    for (const { tag, job, startedAtMs, cwd, cores, gpus } of jobs) {
      const grant = this.#grantFound(job, cores, gpus)
      const attempt = { ...this.#options.prepare(job, grant).attempt, cwd }
      this.#launches.set(tag, {
        tag,
        job,
        grant,
        attempt,
        state: 'running',
        heldSinceMs: startedAtMs,
        requestedAtMs: startedAtMs,
        startedAtMs,
        predecessor: undefined,
        successor: undefined,
        reason: undefined,
        killAtMs: undefined,
        recalled: false,
      })
    }
    this.#nextTag = Math.max(this.#nextTag, nextTag)
  }

  /** What a job that runs already holds. One that may use exactly as many cores as it requires is bound to these. */
  #grantFound(job: ClaimedJob, cores: readonly number[], gpus: readonly string[]): Grant {
    const { ledger } = this.#options
    const { cpus, memoryBytes } = this.#needOf(job)
    const isBound = cores.length === cpus && cpus < ledger.total.cpus
    return ledger.adopt({ cores: isBound ? cores : cpus, gpus, memoryBytes })
  }

  // ---- what the launcher tells ----

  /** Notes a start; undefined when the launch is none of ours any more. */
  started({ tag, startedAtMs }: Started): Launch | undefined {
    const one = this.#launches.get(tag)
    if (one === undefined) return undefined
    one.state = 'running'
    one.startedAtMs = startedAtMs
    if (this.#endingAll !== undefined) this.#end(one, this.#endingAll)
    return one
  }

  /** Notes an exit and frees what the job held; undefined when the launch is none of ours any more. */
  exited({ tag }: Exited): Launch | undefined {
    const one = this.#launches.get(tag)
    if (one === undefined) return undefined
    this.#launches.delete(tag)
    // What no system can start ends before its predecessor does.
    if (one.predecessor === undefined) this.#settleGrant(one)
    else this.#unlink(one)
    return one
  }

  /** The successor, which the launcher has started already, keeps its part of the grant. */
  #settleGrant({ grant, successor }: Launch): void {
    const { ledger } = this.#options
    if (successor === undefined) {
      ledger.release(grant)
      return
    }
    ledger.handOver(grant, successor.grant)
    successor.state = 'running'
    successor.predecessor = undefined
  }

  /** The launcher has died, and everything it had with it. */
  forgetLaunches(): void {
    for (const one of this.#launches.values())
      if (one.predecessor === undefined) this.#options.ledger.release(one.grant)
    this.#launches.clear()
  }

  /** The control plane has been told that these run. */
  markRunning(jobIds: ReadonlySet<number>): void {
    for (const one of this.#launches.values()) if (jobIds.has(one.job.id)) one.job = { ...one.job, status: 'running' }
  }

  /** Jobs that were taken back and given to us again while they went on running. */
  readopt(claims: readonly { job_id: number; claim_token: string; attempt_id: number }[]): void {
    for (const { job_id, claim_token, attempt_id } of claims) {
      for (const one of this.#launches.values()) {
        if (one.job.id !== job_id) continue
        one.job = { ...one.job, claim_token, attempt_id, status: 'running' }
        one.attempt = this.#options.readopt(one.attempt, { claimToken: claim_token, attemptId: attempt_id })
      }
    }
  }

  /**
   * Tells apart what was claimed now: jobs that are new here, and those whose former claim was taken from us without a word. Of these the
   * next attempt of what runs goes on under the new claim; of `others` something else became meanwhile, so that our copy has to go before
   * they start again.
   */
  recognise(claimed: readonly ClaimedJob[]): { fresh: ClaimedJob[]; others: ClaimedJob[] } {
    const launches = new Map<number, Launch>()
    for (const one of this.#launches.values()) launches.set(one.job.id, one)
    const held = new Set(this.#held.map(({ job }) => job.id))
    const others: ClaimedJob[] = []
    const fresh = claimed.filter(job => {
      const one = launches.get(job.id)
      if (one === undefined && !held.has(job.id)) return true
      if (one?.state !== 'running' || one.job.attempt_id + 1 !== job.attempt_id) others.push(job)
      else this.readopt([{ job_id: job.id, claim_token: job.claim_token, attempt_id: job.attempt_id }])
      return false
    })
    return { fresh, others }
  }

  // ---- ending ----

  /** Ends what runs of these jobs and forgets what does not run yet. */
  async part(jobIds: ReadonlySet<number>, reason: EndReason): Promise<void> {
    if (jobIds.size === 0) return
    await this.recall(one => jobIds.has(one.job.id))
    this.#held = this.#held.filter(({ job }) => !jobIds.has(job.id))
    for (const one of this.#launches.values()) if (jobIds.has(one.job.id)) this.#end(one, reason)
  }

  #end(one: Launch, reason: EndReason): void {
    if (one.reason !== undefined) return
    const { signal, graceMs, killAtMs = Infinity } = this.#options.endOf(one.job)
    one.reason = reason
    one.killAtMs = Math.min(this.#options.clock() + graceMs, killAtMs)
    this.#launcher?.signal(one.tag, signal)
  }

  /** Ends all: TERM, then KILL after the grace. Takes back first what waits, so that the launcher does not start it in the gap. */
  endAll(reason: EndReason): void {
    this.#endingAll = reason
    void this.recall(() => true)
    for (const one of this.running()) this.#end(one, reason)
  }

  killAll(): void {
    for (const one of this.running()) this.#launcher?.signal(one.tag, 'SIGKILL')
  }

  /** Ends jobs whose time is over, and kills those that were asked to end and did not. */
  endOverdue(now: number): void {
    const isEndNear = now >= this.#options.drainAtMs()
    for (const one of this.running()) {
      if (isEndNear && now >= this.#askAtMs(one)) this.#end(one, 'stopped')
      const limitMs = timeLimitMs(one)
      if (limitMs !== undefined && now >= one.startedAtMs + limitMs) this.#end(one, 'time_limit')
      if (one.killAtMs !== undefined && now >= one.killAtMs) {
        one.killAtMs = undefined
        this.#launcher?.signal(one.tag, 'SIGKILL')
      }
    }
  }

  #askAtMs(one: Launch): number {
    return this.#options.endOf(one.job).askAtMs ?? Infinity
  }

  // ---- giving back ----

  /** Takes queued jobs back from the launcher; those it had not started yet are held again, in front. */
  async recall(which: (one: Launch) => boolean): Promise<void> {
    const wanted = [...this.#launches.values()].filter(one => one.state === 'queued' && !one.recalled && which(one))
    const back: Held[] = []
    const answers = wanted.map(one => {
      one.recalled = true
      return this.#launcher?.recall(one.tag, recalled => {
        if (!recalled) return
        this.#unlink(one)
        back.push({ job: one.job, sinceMs: one.heldSinceMs })
      })
    })
    await Promise.all(answers)
    this.#held.unshift(...back)
  }

  /** What waited for a recalled job waits for its predecessor, in the launcher as well. */
  #unlink(one: Launch): void {
    this.#launches.delete(one.tag)
    if (one.predecessor !== undefined) one.predecessor.successor = one.successor
    if (one.successor !== undefined) one.successor.predecessor = one.predecessor
  }

  /** Whether something is to be taken back: anything not started, or only what has waited too long. */
  hasToGiveBack(all: boolean, now: number): boolean {
    if (this.#held.some(one => all || isOld(one.sinceMs, now))) return true
    for (const one of this.#launches.values()) {
      if (one.state === 'queued' && !one.recalled && (all || this.#hasWaited(one, now))) return true
    }
    return false
  }

  /** Takes back what is not started, or only what has waited too long, and gives up what is old. What can move stays held. */
  async giveBack(isAll: () => boolean, now: number): Promise<Held[]> {
    await this.recall(one => isAll() || this.#hasWaited(one, now))
    const back = this.#held.filter(one => isAll() || isOld(one.sinceMs, now))
    this.#held = this.#held.filter(one => !back.includes(one))
    return back
  }

  /** Held for long enough, or kept from a free slot by a predecessor that goes on. */
  #hasWaited(one: Launch, now: number): boolean {
    return isOld(one.heldSinceMs, now) || (now - one.requestedAtMs > QUEUED_PATIENCE_MS && this.#canMove(one))
  }

  /** A queued job that could start elsewhere at once: there is room and nothing is held before it. */
  #canMove(one: Launch): boolean {
    return this.#held.length === 0 && this.#options.ledger.fitsNow(this.#needOf(one.job))
  }

  // ---- waiting ----

  /** When the oldest held job has to be given back, epoch milliseconds. */
  get giveBackAtMs(): number | undefined {
    const oldest = this.#held[0]
    return oldest && oldest.sinceMs + HELD_AT_MOST_MS
  }

  /** For how long nothing of this needs a look, in milliseconds. */
  quietMs(now: number): number {
    let quietMs = Infinity
    const isEndNear = now >= this.#options.drainAtMs()
    for (const one of this.#launches.values()) {
      const limitMs = timeLimitMs(one)
      if (one.state === 'running' && limitMs !== undefined && one.reason === undefined) {
        quietMs = Math.min(quietMs, one.startedAtMs + limitMs - now)
      }
      if (one.killAtMs !== undefined) quietMs = Math.min(quietMs, one.killAtMs - now)
      else if (isEndNear && one.state === 'running') quietMs = Math.min(quietMs, this.#askAtMs(one) - now)
      if (one.state === 'queued' && !one.recalled) quietMs = Math.min(quietMs, QUEUED_PATIENCE_MS)
    }
    return quietMs
  }
}

const isOld = (sinceMs: number, now: number): boolean => now - sinceMs > HELD_AT_MOST_MS

function timeLimitMs({ job }: Launch): number | undefined {
  const seconds = job.options?.time_limit_seconds
  return seconds === undefined ? undefined : seconds * 1000
}

/** The last launch queued behind a running one, and how many are queued. */
function endOfQueue(running: Launch): { last: Launch; depth: number } {
  let last = running
  let depth = 0
  for (; last.successor !== undefined; last = last.successor) depth++
  return { last, depth }
}
