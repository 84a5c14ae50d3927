import type { System } from '../../capacity/system.ts'
import { count, ownFacts } from '../own-facts.ts'
import type { Inside } from '../types.ts'

const MIB = 2 ** 20

/** What HTCondor says of the allocation of this process: a variable, and the ads of the job and of its slot. */
export function insideHtcondor({ env, read }: Pick<System, 'env' | 'read'>): Inside | undefined {
  if (env.BATCH_SYSTEM !== 'HTCondor' && env._CONDOR_JOB_AD === undefined) return undefined
  const job = parseAd(read(env._CONDOR_JOB_AD ?? '') ?? '')
  const machine = parseAd(read(env._CONDOR_MACHINE_AD ?? '') ?? '')
  const id = job.get('ClusterId')
  const process = count(job.get('ProcId'))
  if (id === undefined || process === undefined) return undefined
  const own = ownFacts(env, 'htcondor')
  const memory = count(machine.get('Memory'))
  const gpus = env.CUDA_VISIBLE_DEVICES?.split(',').filter(entry => entry !== '').length
  const started = count(job.get('JobCurrentStartExecutingDate')) ?? count(job.get('JobCurrentStartDate'))
  return {
    scheduler: 'htcondor',
    id,
    elementId: `${id}.${process}`,
    index: process + 1,
    worker: own.worker ?? process + 1,
    name: own.name,
    nodes: 1,
    nodeNames: [],
    cores: count(machine.get('Cpus')) ?? count(env.OMP_NUM_THREADS) ?? own.cores,
    memoryBytes: memory === undefined ? own.memoryBytes : memory * MIB,
    gpus: gpus ?? own.gpus,
    // The ad counts the start that is going on.
    restarts: Math.max(0, (count(job.get('NumJobStarts')) ?? 1) - 1),
    walltimeSeconds: count(job.get('AllowedExecuteDuration')) ?? own.walltimeSeconds,
    startedAtMs: started === undefined ? own.startedAtMs : started * 1000,
    scratch: env._CONDOR_SCRATCH_DIR,
    runnersAtOnce: own.runnersAtOnce,
  }
}

/** Lines are `Name = value`; names do not mind their case, but are written as here. */
function parseAd(text: string): Map<string, string> {
  const lines = text.split('\n').map(line => /^(\w+)\s*=\s*(.*?)\s*$/.exec(line))
  return new Map(lines.flatMap(match => (match === null ? [] : [[match[1]!, match[2]!] as const])))
}
