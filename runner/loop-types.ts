import type { HandBackReason } from '../api/core/hand-back.ts'
import type { Ledger } from './capacity/ledger.ts'
import type { ClaimTerms } from './claim-part.ts'
import type { LoopEnd } from './ending.ts'
import type { Finalisers } from './job-threads/finalisers.ts'
import type { Exited, Launcher, Started } from './launcher/types.ts'
import type { RunEnd } from './run-end.ts'
import type { TakenOver } from './take-over.ts'
import type { ClaimedJob, ExchangeReply, ExchangeRequest, HeartbeatReply, ToldClaim, WorkflowSummary } from './wire.ts'
import type { EndOf, Prepare, Readopt } from './work.ts'

/** A claim that is to be given back. */
export type Returning = { job_id: number; claim_token: string; reason?: HandBackReason }

/**
 * What the loop asks of the control plane. undefined = no answer this time, ask again later; a refusal for good rejects, and the loop
 * ends with it.
 */
export type LoopApi = {
  exchange(request: ExchangeRequest): Promise<ExchangeReply | undefined>
  release(claims: readonly Returning[]): Promise<boolean>
  /** Renews the leases of everything that is held; each lasts so long from now on. */
  heartbeat(claims: readonly ToldClaim[], leaseSeconds: number): Promise<HeartbeatReply | undefined>
  summary(): Promise<WorkflowSummary | undefined>
  /** The last answer was that this runner may not ask any more. Until another one comes it is as if there was none. */
  isShutOut?(): boolean
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
  /** Why a job cannot even be started here; it is given back then. */
  unfitFor?(job: ClaimedJob): HandBackReason | undefined
  prepare: Prepare
  /** What a former runner has left running with the launcher that is about to be opened. */
  takenOver?: TakenOver
  readopt: Readopt
  /** Make the completions of what has exited. */
  finalisers: Finalisers
  claim: ClaimTerms
  /** When the runner takes nothing new, and when it ends all its jobs; claims say how long is left. Absent = never. */
  end?: Readonly<Pick<RunEnd, 'drainAtMs' | 'stopAtMs'>>
  /** How long to stay without work, whatever else there is; else the workflow says, and what cannot run here ends the loop. */
  idleExitMs?: number
  /** It serves whatever comes: only time, idleness or a word from outside ends it. */
  stays?: boolean
  /** Where somebody else tells that work has become ready; wanted while there is room here, and nothing to put in it. */
  notices?: Notices
  endOf: EndOf
  /** How often a runner with work looks at the workflow's counts, and whether it was canceled. */
  lookMs: number
  /** How long a request is repeated before the runner gives up on the control plane. */
  offlineAtMostMs: number
  clock: () => number
  onChange?(state: LoopState): void
  /** Whether somebody else lends parts of this node's ledger now. */
  nodeIsShared?(): boolean
}

/** Notices end in `Loop.workMayBeReady`. Each of the two may be called again and again. */
export type Notices = { listen(): void; hush(): void }

export type LoopState = {
  summary: WorkflowSummary | undefined
  finished: number
  running: { jobId: number; name: string; startedAtMs: number }[]
  held: number
  draining: boolean
  offline: boolean
}

export type Loop = {
  run(): Promise<LoopEnd>
  /** Takes nothing new and lets what runs finish. */
  drain(): void
  /** Ends what runs: TERM, then KILL after the grace; at once when asked again. */
  stop(): void
  /** Somebody else has given back a part of the node. */
  moreRoom(): void
  /** Somebody has seen work become ready. */
  workMayBeReady(): void
}
