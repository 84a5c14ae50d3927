import * as v from 'valibot'
import { bool, float, integer, optional, status, text } from '../../contract/fields.ts'
import { Job } from '../../contract/job.ts'
import { NewResult } from '../../contract/result.ts'
import { JOB_STATUSES } from '../../core/status.ts'

const options = v.record(v.string(), v.unknown())

export const JobModel = v.object({
  ...Job.entries,
  id: integer,
  status,
  priority: integer,
  cancel_on_blocking_job_failure: bool,
  supports_termination: bool,
  resource_requirements_id: integer,
  attempt_id: integer,
  origin: v.optional(text),
  compute_node_id: v.optional(integer),
  start_time: v.optional(text),
  options: v.optional(options),
})
export const Jobs = v.object({ jobs: v.array(JobModel) })
export const JobIds = v.object({ job_ids: v.array(integer), count: integer })

export const JobStatusCounts = v.object(
  Object.fromEntries(JOB_STATUSES.map(word => [word, integer])) as Record<
    (typeof JOB_STATUSES)[number],
    typeof integer
  >,
)

const amounts = v.object({
  num_cpus: integer,
  num_gpus: integer,
  num_nodes: integer,
  memory: text,
  memory_bytes: integer,
  runtime: text,
  runtime_seconds: float,
})

/** A job in the reply of a claim: all that is needed to run it. */
export const ClaimedJob = v.object({
  ...JobModel.entries,
  claim_token: text,
  fence: integer,
  claimed_at: integer,
  lease_expires_at: v.optional(integer),
  ready_at: v.optional(integer),
  resource_requirements: amounts,
  output_files: v.optional(v.array(v.object({ id: integer, path: text }))),
  failure_rules: v.optional(text),
})
export const Claimed = v.object({ jobs: v.array(ClaimedJob), reason: v.optional(text) })

export const BatchCompleted = v.object({
  completed: v.array(integer),
  errors: v.array(v.object({ job_id: integer, message: text })),
  verdicts: v.optional(v.array(v.object({ index: integer, job_id: integer, code: text }))),
  claimed: v.optional(v.array(ClaimedJob)),
  claim_reason: v.optional(text),
  ready_hint: v.optional(bool),
})

export const ClaimedOfMany = v.object({
  jobs: v.array(v.object({ ...ClaimedJob.entries, compute_node_id: v.optional(integer) })),
  workflows: v.array(v.looseObject({ id: integer, compute_node_id: integer })),
  completed: v.optional(v.array(integer)),
  errors: v.optional(v.array(v.object({ job_id: integer, message: text }))),
  verdicts: v.optional(v.array(v.object({ index: integer, job_id: integer, code: text }))),
  retries: v.optional(v.array(v.looseObject({ job_id: integer, attempt_id: integer, workflow_id: integer }))),
})

export const SummaryOfMany = v.looseObject({
  workflows: integer,
  total_jobs: integer,
  is_complete: bool,
  canceled_workflows: v.array(integer),
})

/** An attempt of any run: reported, lost, or not ended yet. */
export const Attempt = v.looseObject({ run_id: integer, attempt_id: integer, status: v.optional(status) })
export const Recovered = v.object({ job_id: integer, attempt_id: integer, return_code: integer })

export const Spawned = v.object({ spawned_job_ids: v.array(integer), iteration: integer })

export const JobDependency = v.object({
  job_id: integer,
  job_name: text,
  depends_on_job_id: integer,
  depends_on_job_name: text,
  workflow_id: integer,
})

const sides = {
  workflow_id: integer,
  producer_job_id: v.optional(integer),
  producer_job_name: v.optional(text),
  consumer_job_id: v.optional(integer),
  consumer_job_name: v.optional(text),
}
export const JobFileRelationship = v.object({ ...sides, file_id: integer, file_name: text, file_path: text })
export const JobUserDataRelationship = v.object({ ...sides, user_data_id: integer, user_data_name: text })

export const ResultModel = v.object({
  ...NewResult.entries,
  id: integer,
  job_name: text,
  failure_class: v.optional(text),
  user_seconds: v.optional(float),
  system_seconds: v.optional(float),
  ready_at: v.optional(float),
  claimed_at: v.optional(float),
  launched_at: v.optional(float),
  exited_at: v.optional(float),
  recorded_at: v.optional(float),
  superseded: v.optional(bool),
})

export const RunningJob = v.object({
  job_id: integer,
  job_name: text,
  compute_node_name: text,
  scheduler_type: text,
  scheduler_job_id: v.optional(text),
  start_time: v.optional(text),
})
export const SlurmJobCorrelation = v.object({ slurm_job_id: text, job_id: integer, job_name: text })

export const Explanation = v.object({
  job_id: integer,
  workflow_id: integer,
  name: text,
  status,
  reasons: v.array(v.object({ code: text, message: text })),
  dependencies: v.array(v.object({ job_id: integer, name: text, status })),
  unfinished_dependencies: integer,
})

export const BulkChanged = v.object({
  workflow_id: integer,
  operation: v.picklist(['cancel', 'reset', 'retry', 'priority', 'labels']),
  dry_run: bool,
  matched_count: integer,
  changed_count: integer,
  matched_by_status: v.record(v.string(), integer),
})

export const Graph = v.object({
  workflow_id: integer,
  job_count: integer,
  grouped_by: v.picklist(['job', 'level_and_name', 'name', 'level', 'none']),
  groups: v.array(
    v.object({
      id: integer,
      label: text,
      job_count: integer,
      jobs_by_status: v.record(v.string(), integer),
      first_level: integer,
      last_level: integer,
      job_ids: v.array(integer),
    }),
  ),
  edges: v.array(v.object({ from: integer, to: integer, count: integer })),
})

export const Oversized = v.object({ job_id: integer, name: text, reason: text })

export const ReadyRequirements = v.object({
  num_jobs: integer,
  num_cpus: integer,
  num_gpus: integer,
  memory_gb: float,
  max_num_nodes: integer,
  max_runtime: text,
})

export const ResetJobs = v.object({
  workflow_id: integer,
  updated_count: integer,
  status: text,
  reset_type: optional(text),
})
