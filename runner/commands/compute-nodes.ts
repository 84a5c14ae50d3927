import { flatPaths, nounGroup } from '../nouns/noun.ts'

export default nounGroup({
  name: 'compute-nodes',
  one: 'compute node',
  many: 'compute nodes',
  about: 'The runners that work, or worked, on a workflow.',
  ...flatPaths('/compute_nodes'),
  columns: ['id', 'hostname', 'pid', 'is_active', 'num_cpus', 'memory_gb', 'num_gpus', 'start_time', 'labels'],
  fields: {
    hostname: { kind: 'text', about: 'name of the machine', required: true },
    pid: { kind: 'integer', about: 'process of its runner', required: true },
    start_time: { kind: 'text', about: 'when it began, as 2026-01-31T12:00:00Z', hint: 'TIME', required: true },
    num_cpus: { kind: 'integer', about: 'CPUs it offers', required: true },
    memory_gb: { kind: 'amount', about: 'memory it offers, in GiB', required: true },
    num_gpus: { kind: 'integer', about: 'GPUs it offers', required: true },
    num_nodes: { kind: 'integer', about: 'nodes it stands for', required: true },
    compute_node_type: { kind: 'text', about: 'local, slurm or another word', required: true },
    is_active: { kind: 'truth', about: 'whether its runner still works' },
    time_limit: { kind: 'text', about: 'how long it has, such as PT4H', hint: 'TIME' },
    labels: { kind: 'texts', about: 'labels it offers', only: 'create' },
  },
  filters: {
    hostname: { kind: 'text', about: 'only those whose name has this part' },
    is_active: { kind: 'truth', about: 'only those whose runner works, or has ended' },
  },
  example: {
    create:
      '--hostname n1 --pid 1 --start-time 2026-01-31T12:00:00Z --num-cpus 8 --memory-gb 32 --num-gpus 0 --num-nodes 1 --compute-node-type local',
    update: '--is-active false',
  },
})
