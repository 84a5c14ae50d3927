import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { WrongResult } from '../types.ts'
import type { Pipeline } from './pipeline.ts'

const LOG = 'gpus.log'

/**
 * The pipeline's file with a middle stage whose jobs need a GPU, or none: all else is the same. In either each of them notes the GPUs it sees
 * when it begins and when it ends, by the shell's own `echo`.
 */
export function withMiddleStageOn({ text }: Pipeline, gpus: 0 | 1): string {
  const set = `  - { name: middle, num_cpus: 1, num_gpus: ${gpus}, memory: 256m, runtime: PT1M }\n`
  return text
    .replace('resource_requirements:\n', `resource_requirements:\n${set}`)
    .replace(
      /( {2}- name: work_\{i:04d\}\n {4}command: )(.*)\n {4}resource_requirements: cpu_small/,
      `$1echo "+ $CUDA_VISIBLE_DEVICES" >>${LOG} && $2 && echo "- $CUDA_VISIBLE_DEVICES" >>${LOG}\n    resource_requirements: middle`,
    )
}

/** Throws when two jobs saw the same GPU at one moment, or one saw another number of GPUs than it needs. */
export function checkGpus(directory: string, { chains }: Pipeline): void {
  const inUse = new Set<string>()
  const lines = readFileSync(join(directory, LOG), 'utf8').trim().split('\n')
  if (lines.length !== 2 * chains) throw new WrongResult(`${LOG} has ${lines.length} lines and must have ${2 * chains}`)
  for (const line of lines) {
    const [change, gpu] = line.split(' ') as [string, string]
    if (!/^\d+$/.test(gpu)) throw new WrongResult(`A job of the middle stage saw these GPUs: ${gpu}`)
    if (change === '-') inUse.delete(gpu)
    else if (inUse.has(gpu)) throw new WrongResult(`Two jobs saw GPU ${gpu} at one moment`)
    else inUse.add(gpu)
  }
}
