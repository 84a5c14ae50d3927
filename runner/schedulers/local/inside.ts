import type { System } from '../../capacity/system.ts'
import { count, ownFacts } from '../own-facts.ts'
import type { Inside } from '../types.ts'

/** What our own script and supervisor say of the allocation of this process. */
export function insideLocal({ env }: Pick<System, 'env'>): Inside | undefined {
  const id = env.HEADRACE_LOCAL_ID
  if (env.HEADRACE_SCHEDULER !== 'local' || id === undefined) return undefined
  const own = ownFacts(env, 'local')
  const index = count(env.HEADRACE_LOCAL_INDEX)
  return {
    scheduler: 'local',
    id,
    elementId: `${id}.${index}`,
    index,
    worker: own.worker ?? index ?? 1,
    name: own.name,
    nodes: 1,
    nodeNames: [],
    cores: own.cores,
    memoryBytes: own.memoryBytes,
    gpus: own.gpus,
    restarts: 0,
    walltimeSeconds: own.walltimeSeconds,
    startedAtMs: own.startedAtMs,
    runnersAtOnce: own.runnersAtOnce,
  }
}
