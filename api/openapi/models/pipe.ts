import * as v from 'valibot'
import { bool, float, integer, status, text } from '../../contract/fields.ts'
import { SUBMISSION_STATES } from '../../core/pipe/liveness.ts'
import { PIPE_STATES, POST_STATES } from '../../core/pipe/state.ts'

const maybe = <const S extends v.GenericSchema>(schema: S) => v.optional(schema)
const counts = v.record(text, integer)

const Key = v.looseObject({
  num_cpus: integer,
  memory: integer,
  num_gpus: integer,
  family: text,
  tags: v.record(text, text),
})
const Claimable = v.object({ fresh: integer, retried: integer })

export const PipeGroup = v.object({
  key: Key,
  ready: integer,
  open: integer,
  first_job_id: integer,
  longest_runtime_seconds: float,
})

export const PipeSubmission = v.object({
  id: integer,
  name: text,
  state: v.picklist(SUBMISSION_STATES),
  width: integer,
  reason: text,
  inputs: v.looseObject({}),
  decided_at: integer,
  decided_age_ms: integer,
  acknowledged_at: maybe(integer),
  scheduler_id: maybe(text),
  liveness: v.picklist(['alive', 'gone', 'unknown']),
  queued: integer,
  running: integer,
  has_registered: bool,
  message: maybe(text),
})

export const PipeProgress = v.object({
  state: v.picklist(PIPE_STATES),
  is_over: bool,
  are_members_over: bool,
  members: v.object({ total: integer, by_status: counts }),
  ejected: integer,
  misfits: integer,
  claimable: Claimable,
  live_runners: integer,
  next_retry_in_seconds: maybe(float),
})

export const PipeRunModel = v.object({
  id: integer,
  workflow_id: integer,
  state_since: integer,
  reason: maybe(text),
  scheduler: text,
  directory: text,
  key: Key,
  spec: v.looseObject({}),
  width: integer,
  throttle: maybe(integer),
  array_most: maybe(integer),
  walltime_seconds: integer,
  grace_seconds: integer,
  created_at: integer,
  paused_reason: maybe(text),
  paused_at: maybe(integer),
  strikes: integer,
  last_error: maybe(text),
  unreadable: v.array(text),
  post_step: maybe(text),
  post_state: v.picklist(POST_STATES),
  post_by: maybe(text),
  post_return_code: maybe(integer),
  ...PipeProgress.entries,
  submissions: v.array(PipeSubmission),
})

/** What a dry run of staging shows instead of a run. */
export const PipePlan = v.object({
  key: Key,
  ready: integer,
  open: integer,
  width: integer,
  element: v.object({ cores: integer, memoryBytes: integer, gpus: integer }),
})

export const PipeMember = v.object({
  job_id: integer,
  name: text,
  status,
  attempt_id: integer,
  command: text,
  invocation_script: maybe(text),
  env: maybe(v.record(text, text)),
  family: text,
  tags: maybe(v.record(text, text)),
})

export const PipeCanceled = v.object({
  id: integer,
  state: v.picklist(PIPE_STATES),
  was_open: bool,
  canceled_jobs: integer,
})

export const PipeDecided = v.object({
  decision: v.looseObject({ submit: bool }),
  submission: maybe(PipeSubmission),
  run: PipeRunModel,
})

export const PipePostStepTaken = v.object({ id: integer, claimed: bool })
