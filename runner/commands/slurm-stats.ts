import { flatPaths, nounGroup } from '../nouns/noun.ts'

export default nounGroup({
  name: 'slurm-stats',
  one: 'Slurm record',
  many: 'Slurm records',
  about: "What Slurm's accounting says of jobs.",
  ...flatPaths('/slurm_stats'),
  columns: ['id', 'job_id', 'run_id', 'attempt_id', 'slurm_job_id', 'max_rss_bytes', 'ave_cpu_seconds', 'node_list'],
  verbs: ['list', 'create'],
  fields: {
    job_id: { kind: 'integer', about: 'the job', hint: 'JOB', required: true },
    run_id: { kind: 'integer', about: 'the run', required: true },
    attempt_id: { kind: 'integer', about: 'the attempt', required: true },
    slurm_job_id: { kind: 'text', about: 'id of the Slurm job' },
    max_rss_bytes: { kind: 'integer', about: 'most memory a task held' },
    max_vm_size_bytes: { kind: 'integer', about: 'most address space a task had' },
    max_disk_read_bytes: { kind: 'integer', about: 'most bytes a task read' },
    max_disk_write_bytes: { kind: 'integer', about: 'most bytes a task wrote' },
    ave_cpu_seconds: { kind: 'amount', about: 'CPU time, on average of its tasks' },
    node_list: { kind: 'text', about: 'nodes it ran on' },
  },
  example: { create: '--job-id 17 --run-id 0 --attempt-id 1 --slurm-job-id 4711' },
})
