/** The shapes the runner reads from the control plane's replies (docs/api.md): only the fields it uses. */

import type { JobOptions } from '../api/core/spec/options.ts'

export type ClaimedJob = {
  id: number
  workflow_id: number
  name: string
  command: string
  env?: Record<string, string>
  invocation_script?: string
  status: string
  attempt_id: number
  claim_token: string
  ready_at?: number
  claimed_at: number
  resource_requirements: {
    num_cpus: number
    num_gpus: number
    num_nodes?: number
    memory_bytes: number
    runtime_seconds: number
  }
  output_files?: { id: number; path: string }[]
  options?: JobOptions
}

/** One entry of batch_complete_jobs as the runner sends it. */
export type CompletionEntry = {
  job_id: number
  status: 'completed' | 'failed' | 'terminated' | 'canceled' | 'pending_failed'
  run_id: number
  claim_token: string
  failure_class?: string
  result: {
    job_id: number
    workflow_id: number
    run_id: number
    attempt_id: number
    compute_node_id: number
    return_code: number
    exec_time_minutes: number
    completion_time: string
    status: string
  }
  usage: {
    user_seconds?: number
    system_seconds?: number
    peak_memory_bytes?: number
    avg_memory_bytes?: number
    peak_cpu_percent?: number
    avg_cpu_percent?: number
  }
  phase_times: { launched?: number; exited: number }
  file_times?: FileTime[]
}

/** An output as it was seen after the attempt; size and SHA-256 (hex) where hashing was asked for. */
export type FileTime = { file_id: number; st_mtime: number; size_bytes?: number; sha256?: string }

export type StartedEntry = { job_id: number; claim_token: string; start_time: number }

export type ClaimPart = {
  claim_id: string
  limit: number
  lease_seconds: number
  num_cpus?: number
  memory_gb?: number
  num_gpus?: number
  num_nodes?: number
  time_limit?: string
  scheduler_config_id?: number
  strict_scheduler_match?: boolean
  labels: readonly string[]
  compute_node_id?: number
  start: true
  total?: { num_cpus: number; memory_gb: number; num_gpus: number; num_nodes?: number }
  hold?: { jobs: number; num_cpus: number; memory_gb: number; num_gpus: number }
}

export type ExchangeRequest = {
  completions: readonly CompletionEntry[]
  started?: readonly StartedEntry[]
  verdicts: true
  claim?: ClaimPart
  /** When the claim gets nothing, the reply says how the workflow stands. */
  summary?: boolean
}

/** A failed attempt whose job is tried again; with a script, the job waits until the runner says that it has ended. */
export type RetriedAttempt = { job_id: number; attempt_id: number; recovery_script?: string }

export type ExchangeReply = {
  completed: number[]
  errors: { job_id: number; message: string }[]
  verdicts?: { index: number; job_id: number; code: string }[]
  retries?: RetriedAttempt[]
  claimed?: ClaimedJob[]
  claim_reason?: string
  ready_hint?: boolean
  summary?: WorkflowSummary
}

/** Counts by status word, and what the loop needs to know about the workflow as a whole. */
export type WorkflowSummary = {
  workflow_id: number
  name: string
  run_id: number
  is_complete: boolean
  is_canceled: boolean
  total_jobs: number
  jobs_by_status: Record<string, number>
  /** Compute nodes that are registered and have not said goodbye, this one included. */
  active_compute_nodes: number
  wait_for_new_jobs_seconds: number
  /** Until the first job that failed may be tried again; absent when none waits. */
  next_retry_in_seconds?: number
  /** Of a runner that serves many: those of them that were canceled. */
  canceled_workflows?: number[]
}

/** What a runner believes to hold; `running`: its process runs now. */
export type ToldClaim = { job_id: number; claim_token: string; running: boolean }

export type HeartbeatReply = {
  lost: number[]
  cancel: number[]
  /** Taken back and given again: the next attempt of jobs that never stopped running here. */
  reclaimed: { job_id: number; claim_token: string; attempt_id: number }[]
  /** Another runner could start what this one holds ahead. */
  starving?: boolean
}
