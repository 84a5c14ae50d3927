import { JOB_STATUSES } from '../../api/core/status.ts'
import { entryFor } from '../command-line/verb.ts'
import { flatPaths, nounGroup } from '../nouns/noun.ts'
import { jobId } from './ask.ts'
import { failJobs, putBackJobs, resetJobs, retryJobs } from './jobs-again.ts'

export default nounGroup(
  {
    name: 'jobs',
    one: 'job',
    many: 'jobs',
    about: 'The jobs of a workflow: what runs, after what, and how far each is.',
    ...flatPaths('/jobs'),
    takesWorkflow: true,
    find: jobId,
    columns: ['id', 'name', 'status', 'attempt_id', 'priority', 'resource_requirements_id', 'labels', 'command'],
    fields: {
      name: { kind: 'text', about: 'name in the workflow', required: true },
      command: { kind: 'text', about: 'what the shell runs', required: true },
      invocation_script: { kind: 'text', about: 'program that runs the command', hint: 'PATH' },
      priority: { kind: 'integer', about: 'higher ones start first (0 unless given)' },
      resource_requirements_id: { kind: 'integer', about: 'what it requires of a node' },
      scheduler_id: { kind: 'integer', about: 'scheduler it is bound to' },
      failure_handler_id: { kind: 'integer', about: 'rules by which it is tried again' },
      cancel_on_blocking_job_failure: { kind: 'truth', about: 'whether it is canceled when a job it waits for fails' },
      supports_termination: { kind: 'truth', about: 'whether it ends by itself when it is told to' },
      depends_on_job_ids: { kind: 'ids', about: 'jobs it waits for' },
      input_file_ids: { kind: 'ids', about: 'files it reads', only: 'create' },
      output_file_ids: { kind: 'ids', about: 'files it makes', only: 'create' },
      input_user_data_ids: { kind: 'ids', about: 'user data it reads', only: 'create' },
      output_user_data_ids: { kind: 'ids', about: 'user data it makes', only: 'create' },
      env: { kind: 'variables', about: 'its environment', only: 'create' },
      labels: { kind: 'texts', about: 'labels a runner must have to take it', only: 'create' },
      status: {
        kind: 'text',
        about: 'a job that has not been initialised can be disabled',
        hint: 'disabled',
        only: 'update',
      },
    },
    filters: {
      status: { kind: 'text', about: 'only jobs of this status', hint: JOB_STATUSES.join('|') },
      name: { kind: 'text', about: 'only those whose name has this part' },
      command: { kind: 'text', about: 'only those whose command has this part' },
      labels: { kind: 'text', about: 'only those with all of these labels', hint: 'LABEL,…' },
      upstream_job_id: { kind: 'integer', about: 'only those that wait for this job', hint: 'JOB' },
      needs_file_id: { kind: 'integer', about: 'only those that read this file' },
      active_compute_node_id: { kind: 'integer', about: 'only those that run on this node' },
    },
    example: {
      create: `--name merge --command 'cat *.part > whole' --depends-on-job-ids 1,2`,
      update: '--priority 10',
    },
  },
  {
    'create-from-file': {
      about: 'add a job for each line of a file',
      load: () => import('./jobs-create-from-file.ts'),
    },
    retry: entryFor(retryJobs),
    reset: entryFor(resetJobs),
    'put-back': entryFor(putBackJobs),
    fail: entryFor(failJobs),
    bulk: { about: 'cancel, reset, retry, prioritise or label many jobs', load: () => import('./jobs-bulk.ts') },
    attempts: { about: 'list the attempts of a job and why they ended', load: () => import('./jobs-attempts.ts') },
    explain: { about: 'say why a job is not running', load: () => import('./explain.ts') },
    logs: { about: 'show what a job has printed', load: () => import('./logs.ts') },
  },
)
