import { join } from 'node:path'
import { toMib } from '../amounts.ts'
import { checkRequest } from '../check-request.ts'
import { SMALL_WASM } from '../leftovers.ts'
import { renderShell } from '../script.ts'
import type { AllocationRequest, ScriptFile } from '../types.ts'

/** The submission script of Grid Engine's qsub. Throws a usage error for what it would read otherwise. */
export function renderSge(request: AllocationRequest): readonly [ScriptFile, ...ScriptFile[]] {
  checkRequest('sge', request, ['qos'])
  return renderShell(request, {
    scheduler: 'sge',
    mark: '#$',
    directives: directives(request),
    // In a plain job SGE_TASK_ID is the word `undefined`.
    worker: request.array === undefined ? '1' : '"$SGE_TASK_ID"',
    before: [`export NODE_OPTIONS="${SMALL_WASM}\${NODE_OPTIONS:+ $NODE_OPTIONS}"`],
    onEachNode,
  })
}

/** A host list line is `host slots queue processors`; qrsh hands over no environment. */
const onEachNode = (command: string): string[] => {
  const variables = ['JOB_ID', 'SGE_ROOT', 'SGE_TASK_ID', 'NSLOTS', 'PE_HOSTFILE'].map(name => `"${name}=$${name}"`)
  const all = [...variables, '"HEADRACE_NODE_RANK=$rank"'].join(' ')
  return [
    'rank=0',
    'while read -r host _; do',
    `  qrsh -inherit -nostdin "$host" ${command.replace('/usr/bin/env ', `/usr/bin/env ${all} `)} </dev/null &`,
    '  rank=$((rank + 1))',
    'done <"$PE_HOSTFILE"',
    'wait',
  ]
}

function directives(request: AllocationRequest): string[] {
  const { name, directory, array, nodes, cores, gpus, walltimeSeconds } = request
  const { parallelEnvironment = nodes === 1 ? 'smp' : 'mpi' } = request.site ?? {}
  const output = join(directory, `${name}.o$JOB_ID${array === undefined ? '' : '.$TASK_ID'}`)
  const quoted = (path: string): string => (path.includes(' ') ? `"${path}"` : path)
  const slots = nodes * cores
  return [
    `-N ${name}`,
    '-S /bin/bash',
    ...(array === undefined ? [] : [`-t ${array.first}-${array.last}`]),
    ...(array?.throttle === undefined ? [] : [`-tc ${array.throttle}`]),
    ...(request.queue === undefined ? [] : [`-q ${request.queue}`]),
    ...(request.account === undefined ? [] : [`-A ${request.account}`]),
    ...(request.reservation === undefined ? [] : [`-ar ${request.reservation}`]),
    ...(slots === 1 ? [] : [`-pe ${parallelEnvironment} ${slots}`]),
    ...memoryLine(request),
    ...(gpus > 0 ? [`-l gpu=${gpus}`] : []),
    `-l h_rt=${walltimeSeconds}`,
    '-j y',
    `-o ${quoted(output)}`,
    `-wd ${quoted(directory)}`,
    '-r y',
  ]
}

/** Memory counts for each slot: the total by the cores (scenario S37). */
function memoryLine({ memoryBytes, cores, site }: AllocationRequest): string[] {
  const complex = site?.memoryComplex ?? 'h_vmem'
  return memoryBytes === 0 || complex === 'none' ? [] : [`-l ${complex}=${toMib(memoryBytes / cores)}M`]
}
