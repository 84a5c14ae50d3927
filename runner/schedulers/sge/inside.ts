import type { System } from '../../capacity/system.ts'
import { count, ownFacts } from '../own-facts.ts'
import type { Inside } from '../types.ts'

/** What Grid Engine says of the allocation of this process. Of GPUs it says nothing: our script does. */
export function insideSge({ env, read }: Pick<System, 'env' | 'read'>): Inside | undefined {
  const id = env.JOB_ID
  if (id === undefined || !/^\d+$/.test(id) || env.SGE_ROOT === undefined) return undefined
  const own = ownFacts(env, 'sge')
  const index = count(env.SGE_TASK_ID)
  const hosts = (read(env.PE_HOSTFILE ?? '') ?? '')
    .split('\n')
    .map(line => line.split(/\s+/))
    .filter(([host]) => host !== undefined && host !== '')
  const slotsHere = count(hosts[own.nodeRank ?? 0]?.[1])
  return {
    scheduler: 'sge',
    id,
    elementId: index === undefined ? id : `${id}.${index}`,
    index,
    worker: own.worker ?? index ?? 1,
    name: own.name,
    queue: env.QUEUE,
    nodes: hosts.length || (own.nodes ?? 1),
    nodeNames: hosts.map(([host]) => host!),
    nodeRank: own.nodeRank,
    // NSLOTS is the sum over all hosts.
    cores: slotsHere ?? count(env.NSLOTS) ?? own.cores,
    memoryBytes: own.memoryBytes ?? addressSpace(read),
    gpus: own.gpus,
    restarts: env.RESTARTED === '1' ? 1 : 0,
    walltimeSeconds: own.walltimeSeconds,
    startedAtMs: own.startedAtMs,
    // Debian's sets TMP alone.
    scratch: env.TMPDIR ?? env.TMP,
    runnersAtOnce: own.runnersAtOnce,
  }
}

/** h_vmem of all slots together is the limit of each process's address space. */
function addressSpace(read: System['read']): number | undefined {
  const limit = /^Max address space\s+(\d+)/m.exec(read('/proc/self/limits') ?? '')?.[1]
  return limit === undefined ? undefined : Number(limit)
}
