import { flatPaths, nounGroup } from '../nouns/noun.ts'

export default nounGroup({
  name: 'files',
  one: 'file',
  many: 'files',
  about: 'The files that jobs read and write.',
  ...flatPaths('/files'),
  columns: ['id', 'name', 'path', 'st_mtime'],
  fields: {
    name: { kind: 'text', about: 'name in the workflow', required: true },
    path: { kind: 'text', about: 'where it lies', hint: 'PATH', required: true },
    st_mtime: { kind: 'amount', about: 'when it was last changed, in seconds since 1970', hint: 'SECONDS' },
    identifier: { kind: 'text', about: 'lasting name of an input, such as a DOI' },
  },
  filters: {
    name: { kind: 'text', about: 'only the one with this name' },
    path: { kind: 'text', about: 'only those whose path has this part' },
    produced_by_job_id: { kind: 'integer', about: 'only outputs of this job', hint: 'JOB' },
    is_output: { kind: 'truth', about: 'only those that a job makes, or that none makes' },
  },
  example: { create: '--name mesh --path data/mesh.dat', update: '--path data/finer.dat' },
})
