/** What an operation touches, as its method and path tell: where the access rules find the workflow. */
export type Scope =
  /** Nothing that belongs to anybody. */
  | { kind: 'open' }
  /** Things that rules of their own guard, which the operation itself looks at. */
  | { kind: 'guarded' }
  /** Something new, which belongs to whoever makes it. */
  | { kind: 'creation' }
  /** A row that is a workflow or belongs to one. */
  | { kind: 'row'; resource: Resource; id: string; deniedLooksMissing: boolean }
  /** What the query names by workflow_id. */
  | { kind: 'query' }
  /** What the body names by workflow_id; with `list` in the entries of that field. */
  | { kind: 'body'; list?: string }

/** `table` holds the rows, `noun` names one in messages. */
export type Resource = { table: string; noun: string }

export const WORKFLOW: Resource = { table: 'workflow', noun: 'Workflow' }

/** The first word of the path. */
const RESOURCES: ReadonlyMap<string, Resource> = new Map([
  ['workflows', WORKFLOW],
  ['jobs', { table: 'job', noun: 'Job' }],
  ['files', { table: 'file', noun: 'File' }],
  ['user_data', { table: 'user_data', noun: 'User data' }],
  ['resource_requirements', { table: 'resource_requirements', noun: 'Resource requirements' }],
  ['failure_handlers', { table: 'failure_handler', noun: 'Failure handler' }],
  ['slurm_schedulers', { table: 'slurm_scheduler', noun: 'Slurm scheduler' }],
  ['local_schedulers', { table: 'local_scheduler', noun: 'Local scheduler' }],
  ['scheduled_compute_nodes', { table: 'scheduled_compute_node', noun: 'Scheduled compute node' }],
  ['compute_nodes', { table: 'compute_node', noun: 'Compute node' }],
  ['pipe_runs', { table: 'pipe_run', noun: 'Pipe run' }],
  ['results', { table: 'result', noun: 'Result' }],
  ['events', { table: 'event', noun: 'Event' }],
  ['ro_crate_entities', { table: 'ro_crate_entity', noun: 'RO-Crate entity' }],
  ['slurm_stats', { table: 'slurm_stats', noun: 'Slurm statistics' }],
  ['tasks', { table: 'task', noun: 'Task' }],
])

/** The field that holds the entries. */
const BULK: ReadonlyMap<string, string> = new Map([
  ['bulk_jobs', 'jobs'],
  ['bulk_files', 'files'],
  ['bulk_user_data', 'user_data'],
])

const CREATIONS: ReadonlySet<string> = new Set([
  'POST workflows',
  'POST workflows/from_spec',
  'POST workflows/from_expansion',
  'POST workflows/import',
])

const OPEN: ReadonlySet<string> = new Set(['ping', 'version', 'openapi.json', 'docs', 'workflow.schema.json'])

/** Lists filter what they show; the others look at groups, users and administrators. */
const GUARDED: ReadonlySet<string> = new Set([
  'access_groups',
  'access_check',
  'users',
  'admin',
  'tokens',
  'webhooks',
  'workflow_sources',
  'claims',
])

/** Tells the scope of an operation; `path` is below the base. Undefined for one that is not known here: then nobody is let through. */
export function scopeOf(method: string, path: string): Scope | undefined {
  const [, first = '', second, ...rest] = path.split('/')
  if (OPEN.has(first)) return { kind: 'open' }
  if (GUARDED.has(first) || (first === 'workflows' && second === undefined && method === 'GET'))
    return { kind: 'guarded' }
  if (CREATIONS.has(`${method} ${path.slice(1)}`)) return { kind: 'creation' }
  const list = BULK.get(first)
  if (list !== undefined) return { kind: 'body', list }
  const resource = RESOURCES.get(first)
  if (resource === undefined) return undefined
  // A slash at the end is not normalised away (contract/notes.md 1): no such path.
  if (second === '') return undefined
  if (second !== undefined) {
    const deniedLooksMissing = first === 'tasks' || rest[0] === 'active_task'
    return { kind: 'row', resource, id: second, deniedLooksMissing }
  }
  return { kind: method === 'POST' ? 'body' : 'query' }
}
