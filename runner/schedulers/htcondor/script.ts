import { join } from 'node:path'
import { toMib } from '../amounts.ts'
import { checkRequest } from '../check-request.ts'
import { renderShell } from '../script.ts'
import type { AllocationRequest, ScriptFile } from '../types.ts'

/** Held because it ran longer than allowed: HTCondor keeps such a job for ever. */
const HELD_FOR_TIME = 47

/**
 * HTCondor's submit file, and the script that it runs. There is no throttle that is safe there, so a throttled array is as wide as its
 * throttle; who submits it makes up for elements that end (api/core/pipe/refill.ts). Throws a usage error for what HTCondor cannot do.
 */
export function renderHtcondor(request: AllocationRequest): readonly [ScriptFile, ...ScriptFile[]] {
  checkRequest('htcondor', request, ['queue', 'qos', 'reservation', 'nodes'])
  const first = request.array?.first ?? 1
  // Processes count from 0; their number comes as the argument.
  const [script] = renderShell(request, { scheduler: 'htcondor', directives: [], worker: `"$((\${1:-0} + ${first}))"` })
  return [{ name: `${request.name}.sub`, text: submitFile(request, script.name) }, script]
}

/** How many elements one submission has. */
function widthAtOnce({ array }: AllocationRequest): number {
  if (array === undefined) return 1
  const width = array.last - array.first + 1
  return Math.min(width, array.throttle ?? width)
}

function submitFile(request: AllocationRequest, script: string): string {
  const { name, directory, cores, memoryBytes, gpus, walltimeSeconds, account, site } = request
  const optional = [
    ...(memoryBytes > 0 ? [`request_memory = ${toMib(memoryBytes)}`] : []),
    ...(gpus > 0 ? [`request_gpus = ${gpus}`] : []),
    ...(account === undefined ? [] : [`accounting_group = ${account}`]),
    ...(site?.directives ?? []),
  ]
  return `${[
    'universe = vanilla',
    `executable = ${join(directory, script)}`,
    'arguments = $(Process)',
    `initialdir = ${directory}`,
    `output = ${join(directory, `${name}.o$(Cluster)_$(Process)`)}`,
    `error = ${join(directory, `${name}.e$(Cluster)_$(Process)`)}`,
    `log = ${join(directory, `${name}.log`)}`,
    `batch_name = ${name}`,
    'environment = "HEADRACE_SCHEDULER=htcondor"',
    `request_cpus = ${cores}`,
    ...optional,
    `allowed_execute_duration = ${walltimeSeconds}`,
    `periodic_remove = (JobStatus == 5) && (HoldReasonCode == ${HELD_FOR_TIME})`,
    'kill_sig = SIGTERM',
    `queue ${widthAtOnce(request)}`,
  ].join('\n')}\n`
}
