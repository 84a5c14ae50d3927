import { randomUUID } from 'node:crypto'
import type { Attempt, EndReason } from './attempt.ts'
import { type BackOff, createBackOff } from './back-off.ts'
import type { Grant, Ledger, Need } from './capacity/ledger.ts'
import { createPace, GATHER_AT_MOST_MS, gatherMs, HELD_AT_MOST_MS } from './holding.ts'
import { labelOf } from './launch-label.ts'
import type { Exited, Launcher, Started } from './launcher/types.ts'
import { createWakeUp } from './wake-up.ts'
import type {
  ClaimedJob,
  ClaimPart,
  CompletionEntry,
  ExchangeReply,
  ExchangeRequest,
  StartedEntry,
  WorkflowSummary,
} from './wire.ts'

/**
 * What the loop asks of the control plane. undefined = no answer this time, ask again later; a refusal for good rejects, and the loop
 * ends with it.
 */
export type LoopApi = {
  exchange(request: ExchangeRequest): Promise<ExchangeReply | undefined>
  release(claims: readonly { job_id: number; claim_token: string }[]): Promise<boolean>
  summary(): Promise<WorkflowSummary | undefined>
}

export type LoopOptions = {
  api: LoopApi
  /** Opens the launcher with the loop's callbacks. */
  openLauncher(callbacks: {
    onStarted(events: Started[]): void
    onExited(events: Exited[]): void
    onLost(reason: string): void
  }): Promise<Launcher>
  ledger: Ledger
  /** Turns a claimed job into what the launcher needs. */
  prepare(
    job: ClaimedJob,
    grant: Grant,
  ): { attempt: Attempt; argv: readonly [string, ...string[]]; env: Record<string, string | null> }
  finalise(attempt: Attempt, end: Exited, reason: EndReason | undefined): CompletionEntry
  /** What every claim of this runner says beside what is free. */
  claim: {
    computeNodeId: number
    labels: readonly string[]
    schedulerConfigId?: number
    strictSchedulerMatch?: boolean
    bySlots: boolean
  }
  /** Epoch milliseconds after which the runner ends its jobs; claims say how long is left. */
  endAtMs?: number
  /** Time between TERM and KILL. */
  graceMs: number
  /** How often a runner with work looks at the workflow's counts, and whether it was canceled. */
  lookMs: number
  /** How long a request is repeated before the runner gives up on the control plane. */
  offlineAtMostMs: number
  clock: () => number
  onChange?(state: LoopState): void
}

export type LoopState = {
  summary: WorkflowSummary | undefined
  finished: number
  running: { jobId: number; name: string; startedAtMs: number }[]
  held: number
  draining: boolean
  offline: boolean
}

/**
 * Why the loop ended. `no_room`: what is left cannot run here, and nobody else is there to do it. `idle`: others work, but nothing came
 * for this runner in the time the workflow names. `offline`: the control plane stayed away; the journal keeps what it was not told.
 */
export type LoopEnd = 'complete' | 'canceled' | 'drained' | 'no_room' | 'idle' | 'offline' | 'launcher_lost'

export type Loop = {
  run(): Promise<LoopEnd>
  /** Takes nothing new and lets what runs finish. */
  drain(): void
  /** Ends what runs: TERM, then KILL after the grace; at once when asked again. */
  stop(): void
}

/** A job of this runner from launch request to exit. `queued`: the launcher starts it when its predecessor has ended. */
type Launch = {
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

/** The last launch queued behind a running one, and how many are queued. */
function endOfQueue(running: Launch): { last: Launch; depth: number } {
  let last = running
  let depth = 0
  for (; last.successor !== undefined; last = last.successor) depth++
  return { last, depth }
}

type Held = { job: ClaimedJob; sinceMs: number }

const FIRST_POLL_MS = 200
const POLL_CAP_MS = 30_000
/** The loop looks round at least this often. */
const LONGEST_WAIT_MS = 30_000
/** A queued successor whose predecessor goes on this long is started elsewhere as soon as there is room. */
const QUEUED_PATIENCE_MS = 50
/** Most completions in one batch. */
const MAX_BATCH = 1_000
/** Whoever watches is told at most this often. */
const SHOW_MS = 500
const GIB = 2 ** 30

/** The runner's loop: claim, launch, report, wait. It decides; the launcher, the ledger and the API act. */
export function createLoop(options: LoopOptions): Loop {
  const { api, ledger, clock, claim } = options
  const wake = createWakeUp()
  /** Ends the pause between two tries to reach the control plane. */
  const hurry = createWakeUp()
  const pace = createPace()
  const poll: BackOff = createBackOff({ firstMs: FIRST_POLL_MS, capMs: POLL_CAP_MS, jitter: 0.1 })
  const launches = new Map<number, Launch>()
  let held: Held[] = []
  /** Given back, and not yet answered: the claim may be somebody else's by now, so none of these is ever started. */
  let returning: Held[] = []
  let exited: { entry: CompletionEntry; atMs: number }[] = []
  let started: StartedEntry[] = []
  let launcher: Launcher
  let nextTag = 1
  let finished = 0
  let summary: WorkflowSummary | undefined
  let phase: 'open' | 'draining' | 'stopping' = 'open'
  /** Why everything is being ended; what the launcher starts from its queue in that moment is ended too. */
  let endingAll: EndReason | undefined
  let offline = false
  /** Offline for longer than the workflow allows: what runs may finish, nothing more starts. */
  let away = false
  let lost: string | undefined
  let lastRequestMs = 0
  let lastShownMs = 0
  let lastLookMs = 0
  /** No claim before this moment: the last one found nothing. */
  let claimAtMs = 0
  /** When to ask next whether anything is left to do: right after each claim that found nothing. */
  let checkEndAtMs = Infinity
  /** No release before this moment: the last one was not answered. */
  let releaseAtMs = 0
  /** Held work had to be given back: nothing is held again before a job ends. */
  let stuck = false
  let lastWorkMs = clock()
  let talking: Promise<void> | undefined
  let ended: LoopEnd | undefined
  /** Set when the control plane refused for good: asking again is of no use. */
  let failure: { error: unknown } | undefined

  // ---- starting ----

  function launch({ job, sinceMs }: Held, grant: Grant, predecessor?: Launch): Launch {
    const { attempt, argv, env } = options.prepare(job, grant)
    const tag = nextTag++
    const now = clock()
    const one: Launch = {
      tag,
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
    launches.set(tag, one)
    if (predecessor !== undefined) predecessor.successor = one
    launcher.launch({
      tag,
      label: labelOf(attempt),
      argv,
      env,
      cwd: attempt.cwd,
      stdout: attempt.logs.stdout,
      stderr: attempt.logs.stderr,
      after: predecessor?.tag,
    })
    return one
  }

  /** Queue-depth mode ignores requirements on purpose; GPUs it has are lent out all the same. */
  const needOf = ({ resource_requirements: set }: ClaimedJob): Need => ({
    cpus: set.num_cpus,
    memoryBytes: set.memory_bytes,
    gpus: claim.bySlots ? Math.min(set.num_gpus, ledger.total.gpus) : set.num_gpus,
  })

  /** Starts held jobs in the order claimed while they fit, then queues one behind each running job. */
  function startHeld(): void {
    if (phase !== 'open' || away || lost !== undefined) return
    while (held.length > 0) {
      const grant = ledger.reserve(needOf(held[0]!.job))
      if (grant === undefined) break
      launch(held.shift()!, grant)
    }
    queueHeld()
  }

  /** Queues held jobs behind the running ones, evenly, so that the launcher goes on by itself for the next milliseconds. */
  function queueHeld(): void {
    if (held.length === 0) return
    const tails = [...launches.values()]
      .filter(one => one.predecessor === undefined && one.reason === undefined)
      .map(endOfQueue)
    const most = pace.queueDepth()
    for (let depth = 0; depth < most && held.length > 0; depth++) {
      for (const tail of tails) {
        const next = held[0]
        if (next === undefined) break
        if (tail.depth > depth) continue
        const grant = ledger.inherit(tail.last.grant, needOf(next.job))
        if (grant === undefined) continue
        held.shift()
        tail.last = launch(next, grant, tail.last)
        tail.depth++
      }
    }
  }

  // ---- the launcher's events ----

  function onStarted(events: readonly Started[]): void {
    for (const event of events) {
      const one = launches.get(event.tag)
      if (one === undefined) continue
      one.state = 'running'
      one.startedAtMs = event.startedAtMs
      if (endingAll !== undefined) end(one, endingAll, clock())
      if (one.job.status === 'pending') {
        started.push({ job_id: one.job.id, claim_token: one.job.claim_token, start_time: event.startedAtMs })
      }
    }
    wake.notify()
  }

  function onExited(events: readonly Exited[]): void {
    for (const event of events) {
      const one = launches.get(event.tag)
      if (one === undefined) continue
      launches.delete(event.tag)
      // What no system can start ends before its predecessor does.
      if (one.predecessor === undefined) settleGrant(one)
      else unlink(one)
      exited.push({ entry: options.finalise(one.attempt, event, one.reason), atMs: event.exitedAtMs })
      // A job that started and ended since the last request is told in its completion alone.
      if (one.job.status === 'pending') started = started.filter(entry => entry.job_id !== one.job.id)
      pace.ended(event.exitedAtMs - event.startedAtMs)
      lastWorkMs = clock()
      finished++
      stuck = false
    }
    if (away && launches.size === 0) hurry.notify()
    startHeld()
    wake.notify()
  }

  /** The successor, which the launcher has started already, keeps its part of the grant. */
  function settleGrant(ended: Launch): void {
    const { successor } = ended
    if (successor === undefined) {
      ledger.release(ended.grant)
      return
    }
    ledger.handOver(ended.grant, successor.grant)
    successor.state = 'running'
    successor.predecessor = undefined
  }

  function onLost(reason: string): void {
    lost = reason
    launches.clear()
    wake.notify()
  }

  // ---- ending ----

  function end(one: Launch, reason: EndReason, now: number): void {
    if (one.reason !== undefined) return
    one.reason = reason
    one.killAtMs = now + options.graceMs
    launcher.signal(one.tag, 'SIGTERM')
  }

  function endOverdue(now: number): void {
    for (const one of launches.values()) {
      if (one.state !== 'running') continue
      const limit = one.job.options?.time_limit_seconds
      if (limit !== undefined && now >= one.startedAtMs + limit * 1000) end(one, 'time_limit', now)
      if (one.killAtMs !== undefined && now >= one.killAtMs) {
        one.killAtMs = undefined
        launcher.signal(one.tag, 'SIGKILL')
      }
    }
    if (options.endAtMs !== undefined && now >= options.endAtMs && phase !== 'stopping') stop()
  }

  function drain(): void {
    if (phase === 'open') phase = 'draining'
    checkEndAtMs = 0
    void recall(() => true)
    changed()
    wake.notify()
  }

  function stop(): void {
    if (endingAll === undefined) {
      endAll('stopped')
      return
    }
    for (const one of launches.values()) if (one.state === 'running') launcher.signal(one.tag, 'SIGKILL')
  }

  /** Takes back what waits before anything is ended, so that the launcher does not start it in the gap. */
  function endAll(reason: EndReason): void {
    const now = clock()
    phase = 'stopping'
    endingAll = reason
    checkEndAtMs = 0
    hurry.notify()
    void recall(() => true)
    for (const one of launches.values()) if (one.state === 'running') end(one, reason, now)
    wake.notify()
  }

  /** Takes queued jobs back from the launcher; those it had not started yet are held again, in front. */
  async function recall(which: (one: Launch) => boolean): Promise<void> {
    const wanted = [...launches.values()].filter(one => one.state === 'queued' && !one.recalled && which(one))
    const back: Held[] = []
    const answers = wanted.map(one => {
      one.recalled = true
      return launcher.recall(one.tag, recalled => {
        if (!recalled) return
        unlink(one)
        back.push({ job: one.job, sinceMs: one.heldSinceMs })
      })
    })
    await Promise.all(answers)
    held.unshift(...back)
    wake.notify()
  }

  /** What waited for a recalled job waits for its predecessor, in the launcher as well. */
  function unlink(one: Launch): void {
    launches.delete(one.tag)
    if (one.predecessor !== undefined) one.predecessor.successor = one.successor
    if (one.successor !== undefined) one.successor.predecessor = one.predecessor
  }

  /** Gives back what was claimed and not started: all of it when draining, else what has waited too long. */
  async function releaseHeld(now: number): Promise<void> {
    const all = phase !== 'open'
    await recall(one => all || hasWaited(one, now))
    const back = held.filter(one => phase !== 'open' || now - one.sinceMs > HELD_AT_MOST_MS)
    held = held.filter(one => !back.includes(one))
    returning.push(...back)
    if (returning.length > 0) {
      stuck = true
      const claims = returning.map(({ job }) => ({ job_id: job.id, claim_token: job.claim_token }))
      if (await api.release(claims)) returning = []
      else {
        releaseAtMs = clock() + FIRST_POLL_MS
        if (phase === 'stopping' && launches.size === 0) ended = 'offline'
      }
    }
    startHeld()
  }

  /** A queued job that could start elsewhere at once: there is room and nothing is held before it. */
  const canMove = (one: Launch): boolean => held.length === 0 && ledger.fitsNow(needOf(one.job))

  /** Held for long enough, or kept from a free slot by a predecessor that goes on. */
  const hasWaited = (one: Launch, now: number): boolean =>
    now - one.heldSinceMs > HELD_AT_MOST_MS || (now - one.requestedAtMs > QUEUED_PATIENCE_MS && canMove(one))

  function releaseDue(now: number): boolean {
    if (now < releaseAtMs) return false
    if (returning.length > 0) return true
    const all = phase !== 'open'
    if (held.some(one => all || now - one.sinceMs > HELD_AT_MOST_MS)) return true
    for (const one of launches.values()) {
      if (one.state === 'queued' && !one.recalled && (all || hasWaited(one, now))) return true
    }
    return false
  }

  // ---- talking ----

  function runningCount(): number {
    let n = 0
    for (const one of launches.values()) if (one.state === 'running') n++
    return n
  }

  const waitingCount = (): number => held.length + launches.size - runningCount()

  /** What to ask for now; undefined when nothing is wanted. */
  function claimPart(now: number): ClaimPart | undefined {
    if (phase !== 'open') return undefined
    const free = ledger.free()
    const waiting = waitingCount()
    const limit = waiting > 0 ? 0 : free.slots
    const target = pace.holdTarget(runningCount())
    const hold = stuck || waiting * 2 > target ? 0 : Math.max(0, target - waiting)
    if (limit <= 0 && hold <= 0) return undefined
    const part: ClaimPart = {
      claim_id: randomUUID(),
      limit,
      labels: claim.labels,
      compute_node_id: claim.computeNodeId,
      start: true,
    }
    if (claim.schedulerConfigId !== undefined) part.scheduler_config_id = claim.schedulerConfigId
    if (claim.strictSchedulerMatch) part.strict_scheduler_match = true
    if (!claim.bySlots) {
      part.num_cpus = free.cpus
      part.memory_gb = free.memoryBytes / GIB
      part.num_gpus = free.gpus
      part.num_nodes = 1
      part.total = {
        num_cpus: ledger.total.cpus,
        memory_gb: ledger.total.memoryBytes / GIB,
        num_gpus: ledger.total.gpus,
      }
    }
    if (options.endAtMs !== undefined)
      part.time_limit = `PT${Math.max(0, Math.round((options.endAtMs - now) / 1000)) + 120}S`
    if (hold > 0) part.hold = { jobs: hold, ...largestRunning() }
    return part
  }

  /** What a held job may need at most: no more than some running job leaves to its successor. */
  function largestRunning(): { num_cpus: number; memory_gb: number; num_gpus: number } {
    let largest: Need = { cpus: 0, memoryBytes: 0, gpus: 0 }
    for (const one of launches.values()) {
      const need = needOf(one.job)
      if (need.cpus >= largest.cpus && need.memoryBytes >= largest.memoryBytes && need.gpus >= largest.gpus)
        largest = need
    }
    return { num_cpus: largest.cpus, memory_gb: largest.memoryBytes / GIB, num_gpus: largest.gpus }
  }

  /** Sends what has ended and asks for more, in one request that is repeated until it is answered. */
  async function exchange(now: number): Promise<void> {
    const part = exited.length > 0 || now >= claimAtMs ? claimPart(now) : undefined
    const batch = exited.slice(0, MAX_BATCH)
    // A held job that ends within moments is told in its completion alone.
    const told = started.filter(entry => now - entry.start_time >= GATHER_AT_MOST_MS)
    exited = exited.slice(batch.length)
    started = started.filter(entry => !told.includes(entry))
    const request: ExchangeRequest = { completions: batch.map(one => one.entry), verdicts: true }
    if (told.length > 0) request.started = told
    if (part !== undefined) request.claim = part
    const reply = await untilAnswered(request)
    lastRequestMs = clock()
    if (reply === undefined) {
      exited = [...batch, ...exited]
      return
    }
    for (const entry of told) markStarted(entry.job_id)
    if (batch.length > 0) poll.reset()
    if (part !== undefined) take(reply.claimed ?? [], part)
    if (lastRequestMs - lastShownMs >= SHOW_MS) changed()
  }

  /** The same claim_id gets the same jobs and a repeated completion is a duplicate, so repeating costs nothing. */
  async function untilAnswered(request: ExchangeRequest): Promise<ExchangeReply | undefined> {
    const retry = createBackOff({ firstMs: FIRST_POLL_MS, capMs: POLL_CAP_MS, jitter: 0.2 })
    const since = clock()
    for (;;) {
      const reply = await api.exchange(request)
      offline = reply === undefined
      away = offline && (phase === 'stopping' || clock() - since > options.offlineAtMostMs)
      if (reply !== undefined) return reply
      changed()
      if (away) await recall(() => true)
      if (away && launches.size === 0) {
        ended = 'offline'
        return undefined
      }
      await hurry.wait(retry.next())
    }
  }

  function markStarted(jobId: number): void {
    for (const one of launches.values()) if (one.job.id === jobId) one.job = { ...one.job, status: 'running' }
  }

  function take(jobs: readonly ClaimedJob[], part: ClaimPart): void {
    const now = clock()
    if (jobs.length === 0) {
      claimAtMs = now + poll.next()
      if (part.limit > 0) checkEndAtMs = now
      return
    }
    poll.reset()
    claimAtMs = 0
    for (const job of jobs) held.push({ job, sinceMs: now })
    startHeld()
  }

  async function look(now: number): Promise<void> {
    lastLookMs = now
    const found = await api.summary()
    offline = found === undefined
    if (found !== undefined) summary = found
    if (found?.is_canceled === true && endingAll === undefined) endAll('canceled')
    changed()
  }

  function changed(): void {
    lastShownMs = clock()
    options.onChange?.({
      summary,
      finished,
      running: [...launches.values()]
        .filter(one => one.state === 'running')
        .map(one => ({ jobId: one.job.id, name: one.job.name, startedAtMs: one.startedAtMs })),
      held: waitingCount(),
      draining: phase !== 'open',
      offline,
    })
  }

  // ---- the loop ----

  const idle = (): boolean => launches.size === 0 && held.length === 0 && returning.length === 0 && exited.length === 0

  /** Decides whether anything is left to do here. Asked when nothing is under way and the last claim got nothing. */
  async function checkEnd(now: number): Promise<void> {
    checkEndAtMs = Infinity
    await look(now)
    if (!idle()) return
    if (offline || summary === undefined) {
      if (phase === 'stopping') ended = 'offline'
      checkEndAtMs = now + FIRST_POLL_MS
      return
    }
    if (summary.is_canceled) ended = 'canceled'
    else if (summary.is_complete) ended = 'complete'
    else if (phase !== 'open') ended = 'drained'
    else if (!othersWork(summary)) ended = 'no_room'
    else if (now - lastWorkMs > summary.wait_for_new_jobs_seconds * 1000) ended = 'idle'
  }

  /** Somebody else runs jobs of the workflow, or could run what does not fit here. */
  const othersWork = ({ jobs_by_status: counts, active_compute_nodes: nodes }: WorkflowSummary): boolean =>
    (counts.pending ?? 0) + (counts.running ?? 0) > 0 || ((counts.ready ?? 0) > 0 && nodes > 1)

  const slotFree = (): boolean => phase === 'open' && ledger.free().slots > 0

  /** When completions are due, in milliseconds from now. Jobs that are ended together are told together. */
  function gatherDelay(now: number): number {
    if (phase === 'stopping' && launches.size > 0) return exited[0]!.atMs + GATHER_AT_MOST_MS - now
    return gatherMs({
      slotFree: slotFree(),
      held: waitingCount(),
      sinceRequestMs: now - lastRequestMs,
      oldestExitMs: now - exited[0]!.atMs,
    })
  }

  /** What to tell or ask the control plane now; one conversation at a time, so batches stay in order. */
  function dueTalk(now: number): (() => Promise<void>) | undefined {
    if (releaseDue(now)) return () => releaseHeld(now)
    if (exited.length > 0 && gatherDelay(now) <= 0) return () => exchange(now)
    if (started.some(entry => now - entry.start_time >= GATHER_AT_MOST_MS)) return () => exchange(now)
    if (now >= claimAtMs && exited.length === 0 && claimPart(now) !== undefined) return () => exchange(now)
    if (idle() && now >= checkEndAtMs) return () => checkEnd(now)
    if (!idle() && now - lastLookMs >= options.lookMs) return () => look(now)
    return undefined
  }

  function waitMs(now: number): number {
    const times = [LONGEST_WAIT_MS]
    if (talking === undefined) {
      if (!idle()) times.push(lastLookMs + options.lookMs - now)
      else times.push(checkEndAtMs - now)
      if (exited.length > 0) times.push(gatherDelay(now))
      for (const entry of started) times.push(entry.start_time + GATHER_AT_MOST_MS - now)
      if (slotFree()) times.push(claimAtMs - now)
      if (held.length > 0) times.push(Math.max(releaseAtMs, held[0]!.sinceMs + HELD_AT_MOST_MS) - now)
      if (returning.length > 0) times.push(releaseAtMs - now)
    }
    for (const one of launches.values()) {
      const limit = one.job.options?.time_limit_seconds
      if (one.state === 'running' && limit !== undefined && one.reason === undefined)
        times.push(one.startedAtMs + limit * 1000 - now)
      if (one.killAtMs !== undefined) times.push(one.killAtMs - now)
      if (one.state === 'queued' && !one.recalled) times.push(QUEUED_PATIENCE_MS)
    }
    if (options.endAtMs !== undefined && phase !== 'stopping') times.push(options.endAtMs - now)
    return Math.max(1, Math.min(...times))
  }

  async function run(): Promise<LoopEnd> {
    launcher = await options.openLauncher({ onStarted, onExited, onLost })
    try {
      for (;;) {
        if (lost !== undefined) {
          // A claim that is answered later would belong to nobody.
          await talking
          return ended ?? 'launcher_lost'
        }
        const now = clock()
        endOverdue(now)
        if (talking === undefined) {
          const talk = dueTalk(now)
          if (talk !== undefined) {
            talking = talk()
              .catch(error => {
                failure = { error }
              })
              .then(() => {
                talking = undefined
                wake.notify()
              })
          }
        }
        if (failure !== undefined) throw failure.error
        if (ended !== undefined) return ended
        await wake.wait(waitMs(clock()))
      }
    } finally {
      await launcher.close({ kill: true })
    }
  }

  return { run, drain, stop }
}
