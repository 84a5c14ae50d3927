import * as v from 'valibot'
import { ActionClaim, ActionConfigChange, NewAction } from '../../contract/action.ts'
import { text } from '../../contract/fields.ts'
import { WORKFLOW_FILTERS } from '../../contract/filters.ts'
import { fromExpansion } from '../../contract/from-expansion.ts'
import { NewRemoteWorkers } from '../../contract/remote-worker.ts'
import { ArchiveRequest, NewWorkflow, WorkflowChange, WorkflowStatusChange } from '../../contract/workflow.ts'
import { SORTING } from '../../query.ts'
import { itemsOf, listOf, Message } from '../models/common.ts'
import {
  Graph,
  JobDependency,
  JobFileRelationship,
  JobIds,
  JobUserDataRelationship,
  Oversized,
  ReadyRequirements,
  ResetJobs,
  RunningJob,
  SlurmJobCorrelation,
} from '../models/jobs.ts'
import { MissingUserData, RemoteWorkerModel, RequiredFiles } from '../models/resources.ts'
import {
  ActionClaimed,
  ActionModel,
  ActiveTask,
  Created,
  IsComplete,
  IsUninitialized,
  Summary,
  TaskModel,
  WorkflowModel,
  WorkflowSource,
  WorkflowStatus,
  WorkflowStatusRecord,
  WorkflowWithScriptFlag,
} from '../models/workflows.ts'
import { type Operation, tagged } from '../operation.ts'

const workflows = tagged('workflows')
const whole = tagged('whole workflows')
const graph = tagged('graph')
const actions = tagged('actions')
const tasks = tagged('tasks')
const workers = tagged('remote workers')

export const WORKFLOW_OPERATIONS: readonly Operation[] = [
  workflows('get', '/workflows', 'list_workflows', 'Lists workflows', {
    query: { ...WORKFLOW_FILTERS, ...SORTING },
    reply: listOf(WorkflowModel),
  }),
  workflows('post', '/workflows', 'create_workflow', 'Creates one without jobs', {
    body: NewWorkflow,
    reply: WorkflowModel,
    creates: true,
  }),
  workflows('get', '/workflows/{id}', 'get_workflow', 'Shows one', { reply: WorkflowModel }),
  workflows('put', '/workflows/{id}', 'update_workflow', 'Changes one', { body: WorkflowChange, reply: WorkflowModel }),
  workflows('delete', '/workflows/{id}', 'delete_workflow', 'Deletes one with all it has', { reply: WorkflowModel }),
  workflows('get', '/workflows/{id}/status', 'get_workflow_status', 'Tells in full how far it is', {
    reply: WorkflowStatus,
  }),
  workflows('put', '/workflows/{id}/status', 'update_workflow_status', 'Sets its status record', {
    body: WorkflowStatusChange,
    reply: WorkflowStatusRecord,
  }),
  workflows('get', '/workflows/{id}/summary', 'get_workflow_summary', 'Tells how far it is, from counters', {
    reply: Summary,
  }),
  workflows('get', '/workflows/{id}/is_complete', 'is_workflow_complete', 'Tells whether it is over', {
    reply: IsComplete,
  }),
  workflows('get', '/workflows/{id}/is_uninitialized', 'is_workflow_uninitialized', 'Tells whether it never ran', {
    reply: IsUninitialized,
  }),
  workflows('put', '/workflows/{id}/cancel', 'cancel_workflow', 'Cancels it with the jobs that run', {
    reply: WorkflowWithScriptFlag,
  }),
  workflows('post', '/workflows/{id}/archive', 'archive_workflow', 'Puts it away, or fetches it back', {
    body: ArchiveRequest,
    reply: WorkflowModel,
  }),
  workflows('post', '/workflows/{id}/reset_status', 'reset_workflow_status', 'Lets it run again', {
    query: { force: 'boolean' },
    reply: WorkflowWithScriptFlag,
  }),
  workflows('post', '/workflows/{id}/reset_job_status', 'reset_job_status', 'Makes its jobs uninitialized', {
    query: { failed_only: 'boolean' },
    reply: ResetJobs,
  }),
  workflows('post', '/workflows/{id}/initialize_jobs', 'initialize_jobs', 'Makes it ready to run', {
    query: { only_uninitialized: 'boolean', clear_ephemeral_user_data: 'boolean', async: 'boolean' },
    reply: Message,
    accepted: TaskModel,
  }),
  workflows(
    'post',
    '/workflows/{id}/process_changed_job_inputs',
    'process_changed_job_inputs',
    'Makes jobs uninitialized whose inputs have changed',
    { query: { dry_run: 'boolean' }, reply: v.object({ reinitialized_jobs: v.array(text) }) },
  ),
  workflows('get', '/workflows/{id}/events/stream', 'get_event_stream', 'Sends what happens as server-sent events', {
    query: { level: 'text', types: 'text' },
    replyType: 'text/event-stream',
  }),

  whole('post', '/workflows/from_spec', 'create_workflow_from_spec', 'Creates one from a workflow file', {
    query: { start: 'boolean', file_name: 'text' },
    bodyType: 'application/yaml',
    reply: Created,
    creates: true,
  }),
  whole('post', '/workflows/from_expansion', 'create_workflow_from_expansion', 'The same from an expanded one', {
    query: { start: 'boolean' },
    body: fromExpansion,
    reply: Created,
    creates: true,
  }),
  whole('get', '/workflow_sources', 'list_workflow_sources', 'Finds the workflow that was made from a file', {
    query: { path: 'text!' },
    reply: itemsOf(WorkflowSource),
  }),
  whole('get', '/workflow.schema.json', 'get_workflow_schema', 'The JSON Schema of workflow files', {
    replyType: 'application/schema+json',
  }),
  whole('get', '/workflows/{id}/export', 'export_workflow', 'Sends one as a document', {
    query: { include_results: 'boolean', include_events: 'boolean' },
    replyType: 'application/x-ndjson',
  }),
  whole('post', '/workflows/import', 'import_workflow', 'Creates one from such a document', {
    query: { fresh: 'boolean', name: 'text' },
    bodyType: 'application/x-ndjson',
    reply: Created,
    creates: true,
  }),

  graph('get', '/workflows/{id}/graph', 'get_workflow_graph', 'What waits for what, drawn together', {
    query: { max_groups: 'integer', group_by: 'text' },
    reply: Graph,
  }),
  graph('get', '/workflows/{id}/job_ids', 'list_job_ids', 'The ids of all jobs', { reply: JobIds }),
  graph('get', '/workflows/{id}/job_dependencies', 'list_job_dependencies', 'Which job waits for which', {
    query: SORTING,
    reply: listOf(JobDependency),
  }),
  graph('get', '/workflows/{id}/job_file_relationships', 'list_job_file_relationships', 'Which job makes what', {
    query: SORTING,
    reply: listOf(JobFileRelationship),
  }),
  graph(
    'get',
    '/workflows/{id}/job_user_data_relationships',
    'list_job_user_data_relationships',
    'The same for user data',
    { query: SORTING, reply: listOf(JobUserDataRelationship) },
  ),
  graph('get', '/workflows/{id}/missing_user_data', 'list_missing_user_data', 'User data without data', {
    reply: MissingUserData,
  }),
  graph(
    'get',
    '/workflows/{id}/required_existing_files',
    'list_required_existing_files',
    'Files that must be on the disk',
    { reply: RequiredFiles },
  ),
  graph(
    'get',
    '/workflows/{id}/ready_job_requirements',
    'get_ready_job_requirements',
    'What all ready jobs need together',
    { query: { scheduler_config_id: 'integer' }, reply: ReadyRequirements },
  ),
  graph('get', '/workflows/{id}/oversized_jobs', 'list_oversized_jobs', 'Jobs that no such node can run', {
    query: {
      num_cpus: 'integer!',
      memory_bytes: 'integer!',
      num_gpus: 'integer!',
      num_nodes: 'integer',
      limit: 'integer',
    },
    reply: itemsOf(Oversized),
  }),
  graph('get', '/workflows/{id}/running_jobs', 'get_running_jobs', 'Running jobs with their nodes', {
    query: SORTING,
    reply: listOf(RunningJob),
  }),
  graph(
    'get',
    '/workflows/{id}/slurm_job_correlations',
    'get_slurm_job_correlations',
    'Which Slurm job ran which job',
    { query: SORTING, reply: listOf(SlurmJobCorrelation) },
  ),

  actions('get', '/workflows/{id}/actions', 'get_workflow_actions', 'Lists them', { reply: v.array(ActionModel) }),
  actions('post', '/workflows/{id}/actions', 'create_workflow_action', 'Creates one', {
    body: NewAction,
    reply: ActionModel,
    creates: true,
  }),
  actions('get', '/workflows/{id}/actions/pending', 'get_pending_actions', 'Those that are due', {
    query: { trigger_type: 'texts' },
    reply: v.array(ActionModel),
  }),
  actions('put', '/workflows/{id}/actions/{action_id}', 'update_workflow_action', 'Changes its configuration', {
    body: ActionConfigChange,
    reply: ActionModel,
  }),
  actions('delete', '/workflows/{id}/actions/{action_id}', 'delete_workflow_action', 'Deletes one', {
    reply: Message,
  }),
  actions('post', '/workflows/{id}/actions/{action_id}/claim', 'claim_action', 'Takes one that is due', {
    body: ActionClaim,
    reply: ActionClaimed,
  }),

  tasks('get', '/tasks/{id}', 'get_task', 'Shows one', { reply: TaskModel }),
  tasks('get', '/workflows/{id}/active_task', 'get_active_task_for_workflow', 'The one that has not ended', {
    reply: ActiveTask,
  }),

  workers('get', '/workflows/{id}/remote_workers', 'list_remote_workers', 'Lists them', {
    reply: v.array(RemoteWorkerModel),
  }),
  workers('post', '/workflows/{id}/remote_workers', 'create_remote_workers', 'Adds some', {
    body: NewRemoteWorkers,
    reply: v.array(RemoteWorkerModel),
  }),
  workers('delete', '/workflows/{id}/remote_workers/{worker}', 'delete_remote_worker', 'Removes one', {
    reply: RemoteWorkerModel,
  }),
]
