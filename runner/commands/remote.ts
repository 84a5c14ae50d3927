import type { Command, Group } from '../command-line/verb.ts'

/** The machines are a noun of the service as well, whose list this is. */
async function loadList(): Promise<{ default: Command }> {
  const { default: noun } = await import('./remote-workers.ts')
  return noun.verbs.list!.load()
}

const group: Group = {
  about:
    'Run a workflow on machines without a batch scheduler, over ssh: one runner on each, started from here and left alone. Keys have to be set up, since nobody is asked for a password.',
  verbs: {
    add: { about: 'keep machines for a workflow', load: () => import('./remote-add.ts') },
    list: { about: 'list the machines of a workflow', load: loadList },
    run: { about: 'start a runner on each machine', load: () => import('./remote-run.ts') },
    status: { about: 'ask every machine for its runner', load: () => import('./remote-status.ts') },
    stop: { about: 'end the runners', load: () => import('./remote-stop.ts') },
    'collect-logs': {
      about: 'fetch what runners and jobs have printed',
      load: () => import('./remote-collect-logs.ts'),
    },
  },
}
export default group
