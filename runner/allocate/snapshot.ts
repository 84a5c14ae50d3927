import type { AllocationState } from '../../api/core/allocation-states.ts'
import type { PlanConfig } from './config.ts'
import type { Judged } from './judge.ts'
import { refusedInRow } from './pauses.ts'
import type { Snapshot } from './types.ts'
import { usableSeconds } from './walltimes.ts'
import type { WireDemand, WirePause } from './wire.ts'

/** Puts together what the planner looks at: the control plane's demand, and requests as the scheduler shows them. */
export function snapshotOf(
  demand: WireDemand,
  judged: readonly Judged[],
  config: PlanConfig,
  pauses: Readonly<Record<string, WirePause>>,
): Snapshot {
  const ours = new Set(demand.allocations.map(({ name }) => name))
  return {
    nowMs: demand.now,
    groups: demand.groups.map(group => ({
      cpus: group.cpus,
      memoryBytes: group.memory_bytes,
      gpus: group.gpus,
      nodes: group.nodes,
      runtimeSeconds: group.runtime_seconds,
      labels: group.labels,
      schedulerId: group.scheduler_id ?? undefined,
      count: group.count,
      readySinceMs: group.ready_since,
    })),
    runners: demand.runners.map(runner => ({
      cpus: runner.cpus,
      memoryBytes: runner.memory_bytes,
      gpus: runner.gpus,
      nodes: runner.nodes,
      labels: runner.labels === '' ? [] : runner.labels.split(','),
      used: { cpus: runner.used_cpus, memoryBytes: runner.used_memory_bytes, gpus: runner.used_gpus },
      busySeconds: runner.busy_seconds,
      secondsLeft: runner.seconds_left ?? leftOfAllocation(runner.allocation, demand),
      isOurs: runner.allocation !== null && ours.has(runner.allocation),
    })),
    requests: judged
      .filter(({ queued, starting }) => queued + starting > 0)
      .map(({ row, queued, starting }) => ({
        name: row.name,
        queue: row.queue,
        offer: { cpus: row.cores, memoryBytes: row.memory_bytes, gpus: row.gpus },
        nodes: row.nodes,
        walltimeSeconds: row.walltime_seconds,
        queued,
        starting,
        unneededSinceMs: row.unneeded_since,
      })),
    queues: config.queues.map(({ name }) => {
      const use = demand.queues.find(({ queue }) => queue === name)
      return {
        name,
        backlog: (use?.backlog ?? 0) - judged.filter(one => one.row.queue === name && hasLeftQueue(one)).length,
        submittedLastMinute: use?.submitted_last_minute ?? 0,
        nodeSecondsLastDay: use?.node_seconds_last_day ?? 0,
        refusedInRow: refusedInRow(demand.allocations, name),
        isPaused: pauses[name] !== undefined,
      }
    }),
  }
}

const isWaiting = (state: AllocationState): boolean => state === 'submitting' || state === 'queued'

/** The control plane counted it as waiting before the listing showed otherwise. */
const hasLeftQueue = ({ row, state }: Judged): boolean => isWaiting(row.state) && !isWaiting(state)

/** A runner that was not told when its allocation ends; undefined for one that is in none of ours. */
function leftOfAllocation(name: string | null, { allocations, now }: WireDemand): number | undefined {
  const row = allocations.find(candidate => candidate.name === name)
  if (row?.started_at === undefined) return undefined
  return Math.max(0, usableSeconds(row.walltime_seconds) - (now - row.started_at) / 1000)
}
