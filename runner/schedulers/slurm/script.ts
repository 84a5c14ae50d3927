import { join } from 'node:path'
import { dayTime, toMib } from '../amounts.ts'
import { checkRequest } from '../check-request.ts'
import { renderShell } from '../script.ts'
import type { AllocationRequest, ScriptFile } from '../types.ts'

/** The submission script of sbatch. Throws a usage error for what Slurm would read otherwise. */
export function renderSlurm(request: AllocationRequest): readonly [ScriptFile, ...ScriptFile[]] {
  checkRequest('slurm', request)
  const { nodes, cores } = request
  return renderShell(request, {
    scheduler: 'slurm',
    mark: '#SBATCH',
    directives: directives(request),
    // Without an array this is a plain job.
    worker: `"\${SLURM_ARRAY_TASK_ID:-1}"`,
    // Since 22.05 a step does not take over the cores per task of its job.
    onEachNode: command => [`exec srun -N ${nodes} -n ${nodes} -c ${cores} --ntasks-per-node=1 ${command} </dev/null`],
  })
}

function directives(request: AllocationRequest): string[] {
  const { name, directory, nodes, cores, memoryBytes, gpus, walltimeSeconds, array } = request
  const throttle = array?.throttle === undefined ? '' : `%${array.throttle}`
  const output = join(directory, `${name}.o${array === undefined ? '%j' : '%A_%a'}`)
  const optional: [string, string | undefined][] = [
    ['array', array && `${array.first}-${array.last}${throttle}`],
    ['partition', request.queue],
    ['account', request.account],
    ['qos', request.qos],
    ['reservation', request.reservation],
    ['gpus-per-node', gpus > 0 ? String(gpus) : undefined],
  ]
  return [
    `--job-name=${name}`,
    ...optional.filter(([, value]) => value !== undefined).map(([option, value]) => `--${option}=${value}`),
    `--nodes=${nodes}`,
    ...(nodes === 1 ? ['--ntasks=1'] : ['--ntasks-per-node=1']),
    `--cpus-per-task=${cores}`,
    // Of each node; 0 would mean all of it.
    ...(memoryBytes > 0 ? [`--mem=${toMib(memoryBytes)}M`] : []),
    `--time=${dayTime(walltimeSeconds)}`,
    `--output=${output.includes(' ') ? `"${output}"` : output}`,
    // A requeued element goes on in its file.
    '--open-mode=append',
    '--requeue',
  ]
}
