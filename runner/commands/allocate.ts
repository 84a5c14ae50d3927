import type { Group } from '../command-line/verb.ts'

const group: Group = {
  about:
    'Ask a batch scheduler for nodes as far as ready jobs need them, and give them back. `runner allocate WORKFLOW --scheduler S` starts a plan and stays until the workflow is over.',
  verbs: {
    start: { about: 'ask for nodes until a workflow is over', load: () => import('./allocate-start.ts') },
    status: { about: 'show plans, and the requests that were made', load: () => import('./allocate-status.ts') },
    pause: { about: 'ask for nothing more for a while', load: () => import('./allocate-pause.ts') },
    resume: { about: 'ask again, whatever went wrong before', load: () => import('./allocate-resume.ts') },
    stop: { about: 'ask for nothing more and cancel what waits', load: () => import('./allocate-stop.ts') },
  },
  fallback: 'start',
}
export default group
