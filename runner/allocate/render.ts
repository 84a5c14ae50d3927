import type { ProbeOutcome } from '../schedulers/types.ts'
import { type Column, renderTable } from '../screen/table.ts'
import type { DryRun } from './dry-run.ts'
import type { Unserved, WantedRequest } from './types.ts'
import type { WireAllocation, WirePlan } from './wire.ts'

const GIB = 2 ** 30

/** What would be asked for, for people. */
export function renderDryRun({ decision, requests, isExample }: DryRun): string {
  const heading = isExample
    ? ['Nothing would be asked for now. A request would look like this:']
    : requests.map(({ wanted }) => `Would ask for ${requestWords(wanted)}`)
  return [
    ...heading,
    ...decision.held.map(reason => `Held back: ${reason}`),
    ...decision.unserved.map(one => `Left out: ${unservedWords(one)}`),
    ...requests.flatMap(({ script, probe }) => ['', script.trimEnd(), '', probeWords(probe)]),
    '',
  ].join('\n')
}

const requestWords = ({ width, nodes, offer, walltimeSeconds, queues, jobs }: WantedRequest): string =>
  `${width} × ${nodes} nodes with ${offer.cpus} CPUs, ${(offer.memoryBytes / GIB).toFixed(1)} GiB and ${offer.gpus} GPUs for ${walltimeSeconds} s${queues[0] === '' ? '' : ` in ${queues.join(', else ')}`}: ${jobs} ready jobs`

const unservedWords = ({ group, reason }: Unserved): string => `${group.count} ready jobs, as ${reason}`

function probeWords({ kind, message }: ProbeOutcome): string {
  switch (kind) {
    case 'accepted':
      return `The scheduler would take it: ${message}`
    case 'refused':
      return `The scheduler would refuse it: ${message}`
    case 'unsupported':
    case 'unknown':
      return `The scheduler was not asked: ${message}`
  }
}

/** The same as one document. */
export const dryRunDocument = ({ decision, requests, isExample }: DryRun) => ({
  is_example: isExample,
  requests: requests.map(({ wanted, script, probe }) => ({
    queues: wanted.queues,
    width: wanted.width,
    nodes: wanted.nodes,
    cpus: wanted.offer.cpus,
    memory_bytes: wanted.offer.memoryBytes,
    gpus: wanted.offer.gpus,
    walltime_seconds: wanted.walltimeSeconds,
    jobs: wanted.jobs,
    waste_seconds: wanted.wasteSeconds,
    script,
    probe,
  })),
  held: decision.held,
  unserved: decision.unserved.map(({ group, reason }) => ({ jobs: group.count, reason })),
})

/** Plans with why they are paused, then the requests that were made. */
export function renderAllocations(
  plans: readonly WirePlan[],
  allocations: readonly WireAllocation[],
  width: number,
): string {
  if (plans.length === 0) return 'No plan: runner allocate WORKFLOW --scheduler S makes one.'
  const table = allocations.length === 0 ? 'No requests.\n' : renderTable(COLUMNS, allocations, width)
  return `${plans.map(planWords).join('\n')}\n\n${table}`
}

function planWords({ name, state, pauses }: WirePlan): string {
  const why = Object.entries(pauses).map(([queue, { reason, message, script, log }]) =>
    [
      `  ${queue === '' ? 'default queue' : queue}: ${reason}`,
      ...(message === undefined ? [] : [`    ${message.replaceAll('\n', '\n    ')}`]),
      ...(script === undefined ? [] : [`    script: ${script}`]),
      ...(log === undefined ? [] : [`    output: ${log}`]),
    ].join('\n'),
  )
  return [`Plan ${name}: ${state}`, ...why].join('\n')
}

const COLUMNS: readonly Column<WireAllocation>[] = [
  { title: 'ID', value: one => one.scheduler_id ?? one.name },
  { title: 'PLAN', value: one => one.plan },
  { title: 'QUEUE', value: one => one.queue },
  { title: 'ELEMENTS', value: one => one.width, align: 'right' },
  { title: 'SECONDS', value: one => one.walltime_seconds, align: 'right' },
  { title: 'STATE', value: one => one.state },
  { title: 'ASKED', value: one => moment(one.created_at) },
  { title: 'STARTED', value: one => moment(one.started_at) },
  { title: 'ENDED', value: one => moment(one.ended_at) },
  { title: 'MESSAGE', value: one => (one.message ?? one.reason)?.split('\n')[0] },
]

const moment = (ms: number | undefined): string => (ms === undefined ? '' : new Date(ms).toISOString().slice(0, 19))
