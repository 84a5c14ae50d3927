import type { Group } from '../command-line/verb.ts'

const group: Group = {
  about:
    'Run many jobs of one kind in one array of a batch scheduler, each element of which is a runner that pulls work.',
  verbs: {
    start: { about: 'stage ready jobs, submit the array and look after it', load: () => import('./pipe-start.ts') },
    list: { about: 'list the pipe runs of a workflow', load: () => import('./pipe-list.ts') },
    groups: { about: 'show which open jobs could share an array', load: () => import('./pipe-groups.ts') },
    show: { about: 'show a pipe run and its submissions', load: () => import('./pipe-show.ts') },
    submit: { about: 'submit a staged run, and look after it', load: () => import('./pipe-submit.ts') },
    reconcile: { about: 'look after all pipe runs of a workflow once', load: () => import('./pipe-reconcile.ts') },
    resume: { about: 'let a paused run go on', load: () => import('./pipe-resume.ts') },
    throttle: {
      about: 'change how many elements of a run are at work at once',
      load: () => import('./pipe-throttle.ts'),
    },
    cancel: { about: 'cancel a run with its jobs and its elements', load: () => import('./pipe-cancel.ts') },
    restore: { about: 'read a run directory back that was moved', load: () => import('./pipe-restore.ts') },
    work: { about: 'run as one element of an array', load: () => import('./pipe-work.ts') },
  },
  fallback: 'start',
}
export default group
