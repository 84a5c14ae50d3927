import type { Entry } from './command-line/verb.ts'

/** Every command. Loaded when called, so that the start-up of one does not pay for the others. */
export const VERBS: Record<string, Entry> = {
  run: { about: 'run a workflow on this machine', load: () => import('./commands/run.ts') },
  create: {
    about: 'make a workflow without running it, or only check its file',
    load: () => import('./commands/create.ts'),
  },
  validate: { about: 'check a workflow file', load: () => import('./commands/validate.ts') },
  convert: { about: 'say a workflow file in another format', load: () => import('./commands/convert.ts') },
  exec: { about: 'run a command as soon as cores of this node are free', load: () => import('./commands/exec.ts') },
  node: { about: 'lend the cores of this node to local launches', load: () => import('./commands/node.ts') },
  export: { about: 'write a workflow as a document or as a workflow file', load: () => import('./commands/export.ts') },
  import: { about: 'make a workflow of an exported document', load: () => import('./commands/import.ts') },
  'exec-spec': { about: 'run commands as a workflow of their own', load: () => import('./commands/exec-spec.ts') },
  parallel: {
    about: 'run a command once for each value, as GNU parallel does',
    load: () => import('./commands/parallel.ts'),
  },
  server: { about: 'serve the API for runners on many machines', load: () => import('./commands/server.ts') },
  list: { about: 'list workflows', load: () => import('./commands/list.ts') },
  status: { about: 'show how far a workflow is', load: () => import('./commands/status.ts') },
  wait: { about: 'wait for the end of a workflow', load: () => import('./commands/wait.ts') },
  watch: { about: 'show how a workflow goes on, and recover it', load: () => import('./commands/watch.ts') },
  top: { about: 'show a workflow at work, live', load: () => import('./commands/top.ts') },
  logs: { about: 'show what a job has printed', load: () => import('./commands/logs.ts') },
  results: { about: "list the results of a workflow's jobs", load: () => import('./commands/results.ts') },
  cancel: { about: 'cancel a workflow', load: () => import('./commands/cancel.ts') },
  explain: { about: 'say why a job is not running', load: () => import('./commands/explain.ts') },
  recover: {
    about: 'run failed jobs again, with more memory or time where that was missing',
    load: () => import('./commands/recover.ts'),
  },
  reconcile: {
    about: 'tell the control plane what runners could not',
    load: () => import('./commands/reconcile.ts'),
  },
  workflows: { about: 'make, start, repair and remove workflows', load: () => import('./commands/workflows.ts') },
  jobs: { about: 'list jobs, change them, run them again', load: () => import('./commands/jobs.ts') },
  files: { about: 'files that jobs read and write', load: () => import('./commands/files.ts') },
  'user-data': { about: 'JSON values that jobs hand to each other', load: () => import('./commands/user-data.ts') },
  'resource-requirements': {
    about: 'what jobs require of a node',
    load: () => import('./commands/resource-requirements.ts'),
  },
  events: { about: 'what has happened, and what happens', load: () => import('./commands/events.ts') },
  'compute-nodes': { about: 'runners that work on a workflow', load: () => import('./commands/compute-nodes.ts') },
  actions: { about: 'what a workflow does besides its jobs', load: () => import('./commands/actions.ts') },
  'failure-handlers': {
    about: 'rules by which failed jobs are tried again',
    load: () => import('./commands/failure-handlers.ts'),
  },
  'slurm-schedulers': {
    about: 'what allocations ask Slurm for',
    load: () => import('./commands/slurm-schedulers.ts'),
  },
  'local-schedulers': {
    about: 'what runners outside a batch system offer',
    load: () => import('./commands/local-schedulers.ts'),
  },
  'scheduled-compute-nodes': {
    about: 'allocations asked for',
    load: () => import('./commands/scheduled-compute-nodes.ts'),
  },
  'slurm-stats': { about: "what Slurm's accounting says of jobs", load: () => import('./commands/slurm-stats.ts') },
  'ro-crate-entities': { about: 'where data came from', load: () => import('./commands/ro-crate-entities.ts') },
  'remote-workers': {
    about: 'machines on which runners are started',
    load: () => import('./commands/remote-workers.ts'),
  },
  tasks: { about: 'work of the server that goes on after a request', load: () => import('./commands/tasks.ts') },
  clean: { about: 'show what an output directory holds, and remove logs', load: () => import('./commands/clean.ts') },
  ping: { about: 'ask whether the control plane answers', load: () => import('./commands/ping.ts') },
  doctor: { about: 'check machine, server and directory', load: () => import('./commands/doctor.ts') },
  config: { about: 'settings from files and the environment', load: () => import('./commands/config.ts') },
  completions: { about: 'completion for bash, zsh and fish', load: () => import('./commands/completions.ts') },
  'access-groups': {
    about: 'groups of users with whom workflows are shared',
    load: () => import('./commands/access-groups.ts'),
  },
  admin: { about: 'what administrators of a server do', load: () => import('./commands/admin.ts') },
}
