import { entryFor } from '../command-line/verb.ts'
import { nounGroup } from '../nouns/noun.ts'
import { workflowId } from './ask.ts'
import { archive, resetStatus } from './workflow-changes.ts'

/** What people do with workflows most goes without the noun, too: `runner status` is `runner workflows status`. */
export default nounGroup(
  {
    name: 'workflows',
    one: 'workflow',
    many: 'workflows',
    about: 'Workflows: making, starting, repairing and removing them.',
    listPath: () => '/workflows',
    itemPath: id => `/workflows/${id}`,
    find: workflowId,
    columns: [],
    verbs: ['get', 'update', 'delete'],
    fields: {
      name: { kind: 'text', about: 'its name' },
      user: { kind: 'text', about: 'whose it is' },
      description: { kind: 'text', about: 'what it is for' },
      project: { kind: 'text', about: 'project it belongs to' },
      metadata: { kind: 'json', about: 'anything else, as an object' },
      use_pending_failed: { kind: 'truth', about: 'whether failed jobs wait for a decision of yours' },
      enable_ro_crate: { kind: 'truth', about: 'whether it is recorded where data came from' },
      compute_node_wait_for_new_jobs_seconds: { kind: 'integer', about: 'how long a runner waits for work' },
      compute_node_ignore_workflow_completion: { kind: 'truth', about: 'whether runners stay when it is complete' },
      compute_node_expiration_buffer_seconds: { kind: 'integer', about: 'how early a runner stops before its end' },
      compute_node_min_time_for_new_jobs_seconds: { kind: 'integer', about: 'time that must be left to take jobs' },
      jobs_sort_method: {
        kind: 'text',
        about: 'which ready jobs start first',
        hint: 'gpus_runtime_memory|gpus_memory_runtime|none',
      },
    },
    example: { update: `--description 'with the finer mesh'` },
  },
  {
    list: { about: 'list workflows', load: () => import('./list.ts') },
    create: { about: 'make a workflow of a file without running it', load: () => import('./create.ts') },
    status: { about: 'show how far a workflow is', load: () => import('./status.ts') },
    init: { about: 'make a workflow ready to run', load: () => import('./init.ts') },
    reinit: { about: 'make ready again what changed inputs concern', load: () => import('./reinit.ts') },
    'reset-status': entryFor(resetStatus),
    cancel: { about: 'cancel a workflow', load: () => import('./cancel.ts') },
    archive: entryFor(archive),
    export: { about: 'write a workflow as a document or a file', load: () => import('./export.ts') },
    import: { about: 'make a workflow of an exported document', load: () => import('./import.ts') },
    plan: { about: 'show what runs when', load: () => import('./plan.ts') },
    'check-resources': {
      about: 'compare what jobs used with what they require',
      load: () => import('./check-resources.ts'),
    },
    'correct-resources': {
      about: 'change requirements to what jobs used',
      load: () => import('./correct-resources.ts'),
    },
    'sync-status': {
      about: 'close allocations that are gone and give their jobs back',
      load: () => import('./slurm-sync-status.ts'),
    },
    recover: {
      about: 'run failed jobs again, with more memory or time where that was missing',
      load: () => import('./recover.ts'),
    },
  },
)
