import type { Verb } from './command-line/verb.ts'

type Entry = { about: string; load(): Promise<{ default: Verb }> }

/** Every command. Loaded when called, so that the start-up of one does not pay for the others. */
export const VERBS: Record<string, Entry> = {
  run: { about: 'run a workflow on this machine', load: () => import('./commands/run.ts') },
  create: {
    about: 'make a workflow without running it, or only check its file',
    load: () => import('./commands/create.ts'),
  },
  server: { about: 'serve the API for runners on many machines', load: () => import('./commands/server.ts') },
  list: { about: 'list workflows', load: () => import('./commands/list.ts') },
  status: { about: 'show how far a workflow is', load: () => import('./commands/status.ts') },
  results: { about: "list the results of a workflow's jobs", load: () => import('./commands/results.ts') },
  cancel: { about: 'cancel a workflow', load: () => import('./commands/cancel.ts') },
  explain: { about: 'say why a job is not running', load: () => import('./commands/explain.ts') },
}
