import * as v from 'valibot'
import { NewAction } from './action.ts'
import { NewComputeNode } from './compute-node.ts'
import { NewFailureHandler } from './failure-handler.ts'
import { bool, float, integer, json, optional, text } from './fields.ts'
import { NewFile } from './file.ts'
import { Job } from './job.ts'
import { NewLocalScheduler } from './local-scheduler.ts'
import { NewResourceRequirements } from './resource-requirements.ts'
import { NewResult } from './result.ts'
import { NewRoCrateEntity } from './ro-crate-entity.ts'
import { NewSlurmScheduler } from './slurm-scheduler.ts'
import { NewSlurmStats } from './slurm-stats.ts'
import { NewUserData } from './user-data.ts'
import { NewWorkflow } from './workflow.ts'

/**
 * The lines of an exported workflow. Each is one JSON object with its `kind`; otherwise they look as the API shows and takes them. Ids
 * are those of the database that it came from: they only connect lines, an import gives new ones.
 */

/** Raised when older programs could not read the lines. */
export const EXPORT_FORMAT = 1

const options = v.record(v.string(), v.unknown())
const own = { id: integer }

/** The schemas by kind, in the order in which kinds follow each other: what a line names stands before it. */
export const RECORDS = {
  export: v.object({ format: v.literal(EXPORT_FORMAT, `must be ${EXPORT_FORMAT}`) }),
  workflow: v.object({
    ...NewWorkflow.entries,
    run_id: optional(integer),
    is_canceled: optional(bool),
    is_archived: optional(bool),
    loss_budget: optional(v.pipe(integer, v.minValue(0))),
    options: optional(options),
  }),
  resource_requirements: v.object({ ...NewResourceRequirements.entries, ...own }),
  failure_handler: v.object({ ...NewFailureHandler.entries, ...own }),
  slurm_scheduler: v.object({ ...NewSlurmScheduler.entries, ...own }),
  local_scheduler: v.object({ ...NewLocalScheduler.entries, ...own }),
  file: v.object({ ...NewFile.entries, ...own }),
  user_data: v.object({ ...NewUserData.entries, ...own }),
  job: v.object({
    ...Job.entries,
    ...own,
    attempt_id: optional(v.pipe(integer, v.minValue(1))),
    origin: optional(v.picklist(['spawn', 'retry'], 'must be spawn or retry')),
    options: optional(options),
    latest_result_id: optional(integer),
  }),
  action: NewAction,
  compute_node: v.object({ ...NewComputeNode.entries, ...own }),
  result: v.object({
    ...NewResult.entries,
    ...own,
    compute_node_id: optional(integer),
    superseded: optional(bool),
    failure_class: optional(text),
    user_seconds: optional(float),
    system_seconds: optional(float),
    ready_at: optional(float),
    claimed_at: optional(float),
    launched_at: optional(float),
    exited_at: optional(float),
    recorded_at: optional(float),
  }),
  ro_crate_entity: NewRoCrateEntity,
  slurm_stats: NewSlurmStats,
  remote_worker: v.object({ worker: text }),
  event: v.object({ timestamp: integer, data: json }),
  /** Without this last line the document was cut off. */
  end: v.object({ jobs: integer }),
} as const

export type RecordKind = keyof typeof RECORDS
export type RecordOf<K extends RecordKind> = v.InferOutput<(typeof RECORDS)[K]>

export const KINDS = Object.keys(RECORDS) as RecordKind[]

export const isKind = (word: unknown): word is RecordKind => typeof word === 'string' && Object.hasOwn(RECORDS, word)
