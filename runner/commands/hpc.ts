import type { Group } from '../command-line/verb.ts'

const group: Group = {
  about: 'Clusters: their partitions, which one this is, and where a job fits.',
  verbs: {
    list: { about: 'list the clusters that are known', load: () => import('./hpc-list.ts') },
    detect: { about: 'tell which cluster this machine belongs to', load: () => import('./hpc-detect.ts') },
    show: { about: "show a cluster's partitions", load: () => import('./hpc-show.ts') },
    match: { about: 'tell which partitions give what is needed', load: () => import('./hpc-match.ts') },
  },
}
export default group
