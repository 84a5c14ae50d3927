import * as v from 'valibot'
import { PIPE_STATES } from '../core/pipe/state.ts'
import { bool, ids, integer, isJsonObject, json, optional, text } from './fields.ts'

/** What `--scheduler` may say; tests/pipe/contract.test.ts holds it against the adapters there are. */
export const PIPE_SCHEDULERS = ['slurm', 'pbs', 'torque', 'sge', 'htcondor', 'local'] as const

const atLeast = (least: number) => v.pipe(integer, v.minValue(least, `must be >= ${least}`))
const filled = v.pipe(text, v.minLength(1, 'must not be empty'))

/** What an element is started with, beside what the control plane reads: kept as it is, and given back to whoever submits. */
const spec = v.pipe(
  json,
  v.check(value => isJsonObject(value), 'must be an object'),
  v.transform(value => value as Record<string, unknown>),
)

/** What is asked for when a run is staged. Which jobs: those named, or the ready ones that meet family and tags, and all that are like them. */
export const NewPipeRun = v.object({
  scheduler: v.picklist(PIPE_SCHEDULERS, `must be one of ${PIPE_SCHEDULERS.join(', ')}`),
  directory: filled,
  job_ids: optional(v.pipe(ids, v.minLength(1, 'must name a job'))),
  family: optional(filled),
  tags: optional(v.record(text, text)),
  /** Jobs may differ: one key is taken, that of most ready jobs, and the rest is left. */
  choose: optional(bool),
  threshold: optional(atLeast(1)),
  width: optional(atLeast(1)),
  throttle: optional(atLeast(1)),
  /** Most elements that the site takes in one array. */
  array_most: optional(atLeast(1)),
  walltime_seconds: atLeast(1),
  /** Jobs that one element runs at once. */
  slots: optional(atLeast(1)),
  grace_seconds: optional(atLeast(0)),
  post_step: optional(filled),
  spec: optional(spec),
})
export type NewPipeRun = v.InferOutput<typeof NewPipeRun>

export const PipeRunChange = v.object({
  state: optional(v.picklist(PIPE_STATES, 'must be a state of pipe runs')),
  reason: optional(text),
  /** Where the run directory is now. */
  directory: optional(filled),
  /** Elements that may run at once, from now on. */
  throttle: optional(atLeast(1)),
  /** Allow submissions again, and the step after the run to be taken anew. */
  resume: optional(bool),
})
export type PipeRunChange = v.InferOutput<typeof PipeRunChange>

/** One element as it begins. */
export const NewPipeRunner = v.object({
  compute_node_id: integer,
  worker: atLeast(1),
  /** The name of the submission it belongs to. */
  submission: optional(text),
})

/** A runner shows that it lives and hears how far its run is. */
export const PipeProgressRequest = v.object({ compute_node_id: optional(integer) })

/** What one listing of the batch scheduler says. Times are ages, since the clocks of login nodes are their own. */
export const PipeObservation = v.object({
  listing_age_ms: atLeast(0),
  submissions: v.array(
    v.object({
      id: integer,
      verdict: v.picklist(['queued', 'running', 'gone', 'unknown'], 'must be queued, running, gone or unknown'),
      queued: optional(atLeast(0)),
      running: optional(atLeast(0)),
    }),
  ),
  /** Places left under a cap on what is queued. */
  places_left: optional(atLeast(0)),
  /** Somebody asks for a submission now: a refusal is not waited out. */
  asked: optional(bool),
})
export type PipeObservation = v.InferOutput<typeof PipeObservation>

/** What came of a submission. */
export const PipeSubmissionChange = v.object({
  state: optional(v.picklist(['submitted', 'refused'], 'must be submitted or refused')),
  scheduler_id: optional(filled),
  message: optional(text),
})

/** What went wrong with a look at a run; nothing, when it went well. */
export const PipeStrike = v.object({ error: optional(text) })

/** What the result files of a run directory came to. */
export const PipeIngestion = v.object({ unreadable: v.array(text) })

export const PipePostStep = v.object({ by: filled })
export const PipePostStepEnd = v.object({ return_code: integer })
