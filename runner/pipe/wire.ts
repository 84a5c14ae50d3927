import type { MemberCounts } from '../../api/core/pipe/counts.ts'
import type { HoldReason, SubmitReason } from '../../api/core/pipe/decision.ts'
import type { ElementSize } from '../../api/core/pipe/element.ts'
import type { PipeKey } from '../../api/core/pipe/key.ts'
import type { Liveness, SubmissionState } from '../../api/core/pipe/liveness.ts'
import type { PipeState, PostState } from '../../api/core/pipe/state.ts'
import type { SchedulerName } from '../schedulers/types.ts'

/** The replies about pipe runs (docs/api.md): only the fields that are used here. */

/**
 * What an element is started with, fixed when its run was staged: nothing that a node, or a later version of a default, says changes it.
 * `slots` and `element` are the control plane's.
 */
export type FrozenSpec = {
  slots: number
  element: ElementSize
  /** The address that compute nodes reach the control plane at. */
  url: string
  ca_cert?: string
  /** Where jobs run and write their logs. */
  cwd: string
  output_dir: string
  /** Node and the program, as the nodes see them. */
  program: readonly string[]
  version: string
  durability: 'process' | 'power'
  idle_exit_seconds: number
  /** The usual one unless given. */
  lease_seconds?: number
  /** Asked for instead of what the jobs need. */
  memory_bytes?: number
  queue?: string
  account?: string
  qos?: string
  reservation?: string
  prologue: readonly string[]
  directives: readonly string[]
  parallel_environment?: string
  memory_complex?: string
}

export type PipeSubmission = {
  id: number
  name: string
  state: SubmissionState
  width: number
  reason: SubmitReason
  decided_age_ms: number
  scheduler_id?: string
  liveness: Liveness
  queued: number
  running: number
  has_registered: boolean
  message?: string
}

export type PipeProgress = {
  state: PipeState
  is_over: boolean
  are_members_over: boolean
  members: { total: number; by_status: MemberCounts['byStatus'] }
  ejected: number
  misfits: number
  claimable: { fresh: number; retried: number }
  live_runners: number
  next_retry_in_seconds?: number
}

export type PipeRun = PipeProgress & {
  id: number
  workflow_id: number
  reason?: string
  scheduler: SchedulerName
  directory: string
  key: PipeKey
  spec: FrozenSpec
  width: number
  throttle?: number
  walltime_seconds: number
  grace_seconds: number
  paused_reason?: string
  strikes: number
  last_error?: string
  unreadable: string[]
  post_step?: string
  post_state: PostState
  post_by?: string
  post_return_code?: number
  submissions: PipeSubmission[]
}

export type PipePlan = { key: PipeKey; ready: number; open: number; width: number; element: ElementSize }

export type PipeDecided = {
  decision: { submit: true; width: number; reason: SubmitReason } | { submit: false; because: HoldReason }
  submission?: PipeSubmission
  run: PipeRun
}

export type PipeMember = {
  job_id: number
  name: string
  status: string
  attempt_id: number
  command: string
  invocation_script?: string
  env?: Record<string, string>
  family: string
  tags?: Record<string, string>
}
