/** The filters of every list, by name and kind (api/query.ts). All are joined by "and" (contract/notes.md 2.3). */

export const JOB_FILTERS = {
  workflow_id: 'integer!',
  status: 'status',
  needs_file_id: 'integer',
  upstream_job_id: 'integer',
  active_compute_node_id: 'integer',
  origin_is_set: 'boolean',
  name: 'text',
  command: 'text',
  labels: 'list',
  include_relationships: 'boolean',
} as const

export const FILE_FILTERS = {
  workflow_id: 'integer!',
  produced_by_job_id: 'integer',
  name: 'text',
  path: 'text',
  is_output: 'boolean',
} as const

/** Jobs that read or make an item; a new item may be linked to them too. */
export const USER_DATA_LINKS = { consumer_job_id: 'integer', producer_job_id: 'integer' } as const

export const USER_DATA_FILTERS = {
  workflow_id: 'integer!',
  ...USER_DATA_LINKS,
  name: 'text',
  is_ephemeral: 'boolean',
} as const

export const RESULT_FILTERS = {
  workflow_id: 'integer!',
  job_id: 'integer',
  run_id: 'integer',
  return_code: 'integer',
  status: 'status',
  compute_node_id: 'integer',
  all_runs: 'boolean',
} as const

export const EVENT_FILTERS = { workflow_id: 'integer!', category: 'text', after_timestamp: 'integer' } as const

export const COMPUTE_NODE_FILTERS = {
  workflow_id: 'integer!',
  hostname: 'text',
  is_active: 'boolean',
  scheduled_compute_node_id: 'integer',
} as const

export const REQUIREMENTS_FILTERS = {
  workflow_id: 'integer!',
  job_id: 'integer',
  name: 'text',
  memory: 'text',
  num_cpus: 'integer',
  num_gpus: 'integer',
  num_nodes: 'integer',
  runtime: 'integer',
} as const

export const LOCAL_SCHEDULER_FILTERS = { workflow_id: 'integer!', memory: 'text', num_cpus: 'integer' } as const

export const SCHEDULED_NODE_FILTERS = {
  workflow_id: 'integer!',
  scheduler_id: 'text',
  scheduler_config_id: 'text',
  status: 'text',
} as const

export const SLURM_STATS_FILTERS = {
  workflow_id: 'integer!',
  job_id: 'integer',
  run_id: 'integer',
  attempt_id: 'integer',
} as const

export const RO_CRATE_FILTERS = { file_id: 'integer', entity_id: 'text' } as const

export const WORKFLOW_FILTERS = {
  name: 'text',
  user: 'text',
  description: 'text',
  access_group: 'text',
  is_archived: 'boolean',
} as const
