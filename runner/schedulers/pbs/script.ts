import { clockTime, toMib } from '../amounts.ts'
import { checkRequest } from '../check-request.ts'
import { renderShell } from '../script.ts'
import type { AllocationRequest, ScriptFile } from '../types.ts'

/** PBS Pro and OpenPBS are one; Torque kept the name and changed the options. */
export type PbsKind = 'pbs' | 'torque'

/** The submission script of qsub. Throws a usage error for what PBS would read otherwise. */
export function renderPbs(kind: PbsKind, request: AllocationRequest): readonly [ScriptFile, ...ScriptFile[]] {
  checkRequest(kind, request, kind === 'pbs' ? ['qos'] : [])
  const index = kind === 'pbs' ? 'PBS_ARRAY_INDEX' : 'PBS_ARRAYID'
  return renderShell(request, {
    scheduler: kind,
    mark: '#PBS',
    directives: directives(kind, request),
    worker: `"\${${index}:-${request.array?.first ?? 1}}"`,
    onEachNode: command => [`exec pbsdsh ${kind === 'pbs' ? '--' : '-u'} ${handOver(index, command)} </dev/null`],
  })
}

/** pbsdsh hands over no environment; `env` stands first in the command. */
function handOver(index: string, command: string): string {
  const variables = ['PBS_JOBID', 'PBS_NODEFILE', index].map(name => `"${name}=$${name}"`).join(' ')
  return command.replace('/usr/bin/env ', `/usr/bin/env ${variables} `)
}

function directives(kind: PbsKind, request: AllocationRequest): string[] {
  const { name, directory, walltimeSeconds } = request
  // PBS has no name for a reservation but the queue that it made for it.
  const queue = kind === 'pbs' ? (request.reservation ?? request.queue) : request.queue
  return [
    // No -S: PBS starts the script by its name, so that its first line says the shell.
    `-N ${name}`,
    ...arrayLine(kind, request),
    ...(queue === undefined ? [] : [`-q ${queue}`]),
    ...(request.account === undefined ? [] : [`-A ${request.account}`]),
    ...(kind === 'pbs' ? chunks(request) : nodes(request)),
    `-l walltime=${clockTime(walltimeSeconds)}`,
    '-j oe',
    // A directory: PBS adds its own names, which are unique for each element and have no brackets.
    `-o ${directory.includes(' ') ? `"${directory}/"` : `${directory}/`}`,
    '-r y',
  ]
}

/** PBS refuses an array of one element, which is a plain job then; its worker number is the index it would have had. */
function arrayLine(kind: PbsKind, { array }: AllocationRequest): string[] {
  if (array === undefined || (kind === 'pbs' && array.first === array.last)) return []
  const throttle = array.throttle === undefined ? '' : `%${array.throttle}`
  return [`${kind === 'pbs' ? '-J' : '-t'} ${array.first}-${array.last}${throttle}`]
}

function chunks({ nodes, cores, memoryBytes, gpus }: AllocationRequest): string[] {
  const memory = memoryBytes > 0 ? `:mem=${toMib(memoryBytes)}mb` : ''
  const select = `-l select=${nodes}:ncpus=${cores}${memory}${gpus > 0 ? `:ngpus=${gpus}` : ''}`
  // Else chunks may share a host.
  return nodes === 1 ? [select] : [select, '-l place=scatter']
}

/** Torque's memory is the whole job's. */
function nodes({ nodes, cores, memoryBytes, gpus, reservation, qos }: AllocationRequest): string[] {
  return [
    `-l nodes=${nodes}:ppn=${cores}${gpus > 0 ? `:gpus=${gpus}` : ''}`,
    ...(memoryBytes > 0 ? [`-l mem=${toMib(memoryBytes) * nodes}mb`] : []),
    ...(reservation === undefined ? [] : [`-l advres=${reservation}`]),
    ...(qos === undefined ? [] : [`-l qos=${qos}`]),
  ]
}
