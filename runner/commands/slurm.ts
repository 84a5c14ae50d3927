import type { Group } from '../command-line/verb.ts'

const group: Group = {
  about: 'Workflows on Slurm: schedulers for their jobs, allocations, and what became of these.',
  verbs: {
    generate: {
      about: 'give a workflow file the schedulers that its jobs need',
      load: () => import('./slurm-generate.ts'),
    },
    regenerate: {
      about: 'plan the schedulers of a workflow anew for what has still to run',
      load: () => import('./slurm-regenerate.ts'),
    },
    'schedule-nodes': {
      about: 'ask for allocations with runners in them',
      load: () => import('./slurm-schedule-nodes.ts'),
    },
    'plan-allocations': {
      about: 'compare ways to ask for the nodes of a workflow file',
      load: () => import('./slurm-plan-allocations.ts'),
    },
    'sync-status': {
      about: 'close allocations that are gone and give their jobs back',
      load: () => import('./slurm-sync-status.ts'),
    },
    'parse-logs': {
      about: 'look for trouble in the logs of allocations',
      load: () => import('./slurm-parse-logs.ts'),
    },
    usage: { about: "what allocations have used, by Slurm's accounting", load: () => import('./slurm-usage.ts') },
  },
}
export default group
