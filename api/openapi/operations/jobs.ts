import { BULK_CHANGES, type BulkOperation } from '../../contract/bulk-change.ts'
import { resourcesSchema, slotsSchema } from '../../contract/claim.ts'
import {
  manyClaimsSchema,
  manyHeartbeatSchema,
  manyReleaseSchema,
  manySummarySchema,
} from '../../contract/claims-many.ts'
import { batchSchema, reportedResultSchema } from '../../contract/completion.ts'
import { putBackSchema, recoverySchema } from '../../contract/ejected-job.ts'
import { JOB_FILTERS } from '../../contract/filters.ts'
import { heartbeatSchema } from '../../contract/heartbeat.ts'
import { BulkJobs, Job } from '../../contract/job.ts'
import { releaseSchema } from '../../contract/release.ts'
import { SpawnRequest } from '../../contract/spawn.ts'
import { SORTING } from '../../query.ts'
import { DeleteCount, itemsOf, listOf } from '../models/common.ts'
import {
  Attempt,
  BatchCompleted,
  BulkChanged,
  Claimed,
  ClaimedOfMany,
  Explanation,
  JobModel,
  Jobs,
  Recovered,
  Spawned,
  SummaryOfMany,
} from '../models/jobs.ts'
import { Heartbeat, Released } from '../models/resources.ts'
import { type Operation, tagged } from '../operation.ts'

const jobs = tagged('jobs')
const claims = tagged('claims and completions')
const bulk = tagged('bulk changes')

const BULK_WORDS: Record<BulkOperation, string> = {
  cancel: 'Cancels the jobs that a selector names',
  reset: 'Makes them uninitialized, with what is complete below',
  retry: 'Makes failed ones ready for another attempt',
  priority: 'Gives them another priority',
  labels: 'Gives them other labels',
}

export const JOB_OPERATIONS: readonly Operation[] = [
  jobs('get', '/jobs', 'list_jobs', 'Lists jobs of a workflow', {
    query: { ...JOB_FILTERS, ...SORTING },
    reply: listOf(JobModel),
  }),
  jobs('post', '/jobs', 'create_job', 'Creates one', { body: Job, reply: JobModel, creates: true }),
  jobs('post', '/bulk_jobs', 'create_jobs', 'Creates many at once', { body: BulkJobs, reply: Jobs, creates: true }),
  jobs('delete', '/jobs', 'delete_jobs', 'Deletes all jobs of a workflow', {
    query: { workflow_id: 'integer!' },
    reply: DeleteCount,
  }),
  jobs('get', '/jobs/{id}', 'get_job', 'Shows one', { reply: JobModel }),
  jobs('put', '/jobs/{id}', 'update_job', 'Changes one', { body: Job, reply: JobModel }),
  jobs('delete', '/jobs/{id}', 'delete_job', 'Deletes one', { reply: JobModel }),
  jobs('get', '/jobs/{id}/explain', 'explain_job', 'Says why a job is not running', { reply: Explanation }),
  jobs('put', '/jobs/{id}/start_job/{run_id}/{compute_node_id}', 'start_job', 'Binds a claimed job to its node', {
    reply: JobModel,
  }),
  jobs('post', '/jobs/{id}/complete_job/{status}/{run_id}', 'complete_job', 'Reports the end of one attempt', {
    query: { force: 'boolean' },
    body: reportedResultSchema,
    reply: JobModel,
  }),
  jobs('put', '/jobs/{id}/manage_status_change/{status}/{run_id}', 'manage_status_change', 'Sets a status by hand', {
    reply: JobModel,
  }),
  jobs('post', '/jobs/{id}/retry/{run_id}', 'retry_job', 'Makes a job ready for its next attempt', {
    query: { max_retries: 'integer!' },
    reply: JobModel,
  }),
  jobs('get', '/jobs/{id}/attempts', 'list_job_attempts', 'Lists what became of each attempt', {
    reply: itemsOf(Attempt),
  }),
  jobs('post', '/jobs/{id}/put_back', 'put_back_job', 'Gives a job that failed another attempt, changed or as it is', {
    body: putBackSchema,
    bodyOptional: true,
    reply: JobModel,
  }),
  jobs('post', '/jobs/{id}/fail', 'fail_job', 'Gives up a job that waits for its owner', { reply: JobModel }),
  jobs('post', '/jobs/{id}/recovery', 'record_recovery', 'Records what a recovery script did', {
    body: recoverySchema,
    reply: Recovered,
  }),
  jobs('post', '/jobs/{id}/spawn_jobs', 'spawn_jobs', 'A running job adds jobs that wait for it', {
    body: SpawnRequest,
    reply: Spawned,
  }),
  ...(Object.keys(BULK_CHANGES) as BulkOperation[]).map(operation =>
    bulk('post', `/workflows/{id}/jobs/${operation}`, `bulk_${operation}_jobs`, BULK_WORDS[operation], {
      body: BULK_CHANGES[operation],
      reply: BulkChanged,
    }),
  ),
  claims(
    'post',
    '/workflows/{id}/claim_jobs_based_on_resources/{limit}',
    'claim_jobs_based_on_resources',
    'Takes ready jobs that fit together on a node',
    { query: { strict_scheduler_match: 'boolean' }, body: resourcesSchema, reply: Claimed },
  ),
  claims('post', '/workflows/{id}/claim_next_jobs', 'claim_next_jobs', 'Takes ready jobs, whatever they need', {
    query: { limit: 'integer', labels: 'list' },
    body: slotsSchema,
    bodyOptional: true,
    reply: Claimed,
  }),
  claims(
    'post',
    '/workflows/{id}/batch_complete_jobs',
    'batch_complete_jobs',
    'Reports ends of many attempts, and may claim in the same transaction',
    { body: batchSchema, reply: BatchCompleted },
  ),
  claims('post', '/claims', 'claim_of_many', 'Claims from all workflows served, and reports ends of attempts in them', {
    body: manyClaimsSchema,
    reply: ClaimedOfMany,
  }),
  claims('get', '/claims/stream', 'get_ready_stream', 'Tells idle runners when work may have become ready', {
    query: { workflow_id: 'integer', user: 'text', project: 'text' },
    replyType: 'text/event-stream',
  }),
  claims('post', '/claims/heartbeat', 'heartbeat_of_many', 'Renews the leases of many nodes of one runner', {
    body: manyHeartbeatSchema,
    reply: Heartbeat,
  }),
  claims('post', '/claims/release', 'release_of_many', 'Gives claims of many nodes back', {
    body: manyReleaseSchema,
    reply: Released,
  }),
  claims('post', '/claims/summary', 'summary_of_many', 'How some workflows stand together', {
    body: manySummarySchema,
    reply: SummaryOfMany,
  }),
  claims('post', '/compute_nodes/{id}/release', 'release_claims', 'Gives claims back', {
    body: releaseSchema,
    reply: Released,
  }),
  claims('post', '/compute_nodes/{id}/heartbeat', 'heartbeat', 'Renews the leases of a node', {
    body: heartbeatSchema,
    bodyOptional: true,
    reply: Heartbeat,
  }),
]
