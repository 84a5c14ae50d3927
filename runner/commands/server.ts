import type { Group } from '../command-line/verb.ts'

const group: Group = {
  about: 'Serve the API, so that runners on many machines share one database.',
  verbs: {
    serve: { about: 'serve until Ctrl-C or TERM', load: () => import('./server-serve.ts') },
    backup: { about: 'write what the database holds to a file', load: () => import('./server-backup.ts') },
    restore: { about: 'put a backup in the place of a database', load: () => import('./server-restore.ts') },
    check: { about: 'look for what must not be in a database', load: () => import('./server-check.ts') },
    move: { about: 'copy a database to another place', load: () => import('./server-move.ts') },
    purge: { about: 'remove workflows that have been over for long', load: () => import('./server-purge.ts') },
    install: { about: 'make a service of it that systemd starts', load: () => import('./server-install.ts') },
  },
  fallback: 'serve',
}
export default group
