import type { System } from '../../capacity/system.ts'
import { expandCounts, expandHostList } from '../host-list.ts'
import { count, ownFacts } from '../own-facts.ts'
import type { Inside } from '../types.ts'

const MIB = 2 ** 20

/** What Slurm says of the allocation of this process. */
export function insideSlurm({ env }: Pick<System, 'env'>): Inside | undefined {
  const job = env.SLURM_JOB_ID
  if (job === undefined || !/^\d+$/.test(job)) return undefined
  const own = ownFacts(env, 'slurm')
  const index = count(env.SLURM_ARRAY_TASK_ID)
  // An element's raw id is another number than its array's.
  const id = (index === undefined ? undefined : env.SLURM_ARRAY_JOB_ID) ?? job
  const nodeNames = expandHostList(env.SLURM_JOB_NODELIST ?? env.SLURM_NODELIST ?? '')
  const nodeRank = own.nodeRank ?? count(env.SLURM_NODEID)
  const cores =
    count(env.SLURM_CPUS_ON_NODE) ?? expandCounts(env.SLURM_JOB_CPUS_PER_NODE ?? '')[nodeRank ?? 0] ?? own.cores
  return {
    scheduler: 'slurm',
    id,
    elementId: index === undefined ? id : `${id}_${index}`,
    index,
    worker: own.worker ?? index ?? 1,
    name: own.name,
    queue: env.SLURM_JOB_PARTITION,
    nodes: count(env.SLURM_JOB_NUM_NODES) ?? count(env.SLURM_NNODES) ?? Math.max(1, nodeNames.length),
    nodeNames,
    nodeRank,
    cores,
    memoryBytes: own.memoryBytes ?? memory(env, cores),
    gpus: count(env.SLURM_GPUS_ON_NODE) ?? listed(env.SLURM_JOB_GPUS) ?? own.gpus,
    restarts: count(env.SLURM_RESTART_COUNT) ?? 0,
    walltimeSeconds: own.walltimeSeconds,
    startedAtMs: own.startedAtMs,
    runnersAtOnce: own.runnersAtOnce ?? count(env.SLURM_ARRAY_TASK_COUNT),
  }
}

/** When both are there, the one for a node was left over from the job that submitted this one. 0 is all of the node. */
function memory(env: NodeJS.ProcessEnv, cores: number | undefined): number | undefined {
  const perCore = count(env.SLURM_MEM_PER_CPU)
  const mib = perCore !== undefined && cores !== undefined ? perCore * cores : count(env.SLURM_MEM_PER_NODE)
  return mib ? mib * MIB : undefined
}

const listed = (text: string | undefined): number | undefined =>
  text === undefined || text === '' ? undefined : text.split(',').length
