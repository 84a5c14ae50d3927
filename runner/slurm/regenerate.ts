import { parseDuration } from '../../api/core/duration.ts'
import { parseMemory } from '../../api/core/memory.ts'
import { expectValue, listAll } from '../commands/ask.ts'
import type { ControlPlane } from '../control-plane.ts'
import type { PlannedJob } from '../plan/stages.ts'
import { listRequirements } from '../recovery/failed-jobs.ts'
import { place } from './placed-jobs.ts'
import type { PlacedJob, PlannedGroup, SetDemand } from './plan-schedulers.ts'
import type { Asked, WireAction } from './rows.ts'

/** What waits to run. One that waits for its owner has no moment at which it becomes ready. */
const TO_COME: ReadonlySet<string> = new Set(['uninitialized', 'blocked', 'ready'])

export type WireJob = PlannedJob & { status: string; labels?: string[] }

export type JobsToCome = { jobs: WireJob[]; placed: PlacedJob[] }

/** The jobs of a workflow that still have to run, with what they require now; `only` leaves out all others. */
export async function readJobsToCome(
  controlPlane: ControlPlane,
  workflowId: number,
  only: ReadonlySet<number> | undefined,
): Promise<JobsToCome> {
  const { client, where } = controlPlane
  const path = `/jobs?workflow_id=${workflowId}&include_relationships=true`
  const all = await listAll<WireJob>(client, path, `read the jobs of workflow ${workflowId}`, where)
  // Jobs with labels have runners of their own.
  const isMeant = (job: WireJob) => only?.has(job.id) !== false && (job.labels ?? []).length === 0
  const jobs = all.filter(job => TO_COME.has(job.status) && isMeant(job))
  const sets = new Map((await listRequirements(controlPlane, workflowId)).map(row => [row.id, row]))
  const demandOf = (id: number): SetDemand => {
    const row = sets.get(id)
    return {
      name: row?.name ?? String(id),
      nodes: row?.num_nodes ?? 1,
      cpus: row?.num_cpus ?? 1,
      memoryBytes: parseMemory(row?.memory ?? '') ?? 0,
      gpus: row?.num_gpus ?? 0,
      runtimeSeconds: Math.ceil(parseDuration(row?.runtime ?? '') ?? 0),
    }
  }
  return { jobs, placed: place(jobs, demandOf) }
}

/** A planned scheduler that is stored now, and the actions that ask for its allocations. */
export type StoredGroup = { schedulerId: number; actions: WireAction[] }

/**
 * Stores planned schedulers, binds the jobs to them, and adds actions that ask for their allocations. In a workflow under way these are
 * for this once: they go with the next initialisation. An action whose jobs are ready already is due at once.
 */
export async function storeGroups(
  groups: readonly PlannedGroup[],
  jobs: readonly WireJob[],
  workflowId: number,
  { client, where }: Asked,
): Promise<StoredGroup[]> {
  const doing = `store new schedulers of workflow ${workflowId}`
  const byName = new Map<string, WireJob[]>()
  for (const job of jobs) byName.set(job.name, [...(byName.get(job.name) ?? []), job])
  const beforeStart = jobs.some(job => job.status === 'uninitialized')
  const stored: StoredGroup[] = []
  for (const { scheduler, actions } of groups) {
    const body = { workflow_id: workflowId, ...scheduler }
    const { id } = expectValue(await client.request<{ id: number }>('POST', '/slurm_schedulers', body), doing, where)
    const made: WireAction[] = []
    for (const action of actions) {
      const own = [...new Set(action.jobs)].flatMap(name => byName.get(name) ?? [])
      for (const job of own) {
        expectValue(await client.request('PUT', `/jobs/${job.id}`, { ...job, scheduler_id: id }), doing, where)
      }
      const wish = {
        trigger_type: 'on_jobs_ready',
        action_type: 'schedule_nodes',
        action_config: {
          scheduler_id: id,
          scheduler_type: 'slurm',
          num_allocations: action.numAllocations,
          start_one_worker_per_node: action.perNode,
        },
        job_ids: own.map(job => job.id),
        trigger_count: own.filter(job => job.status === 'ready').length,
        is_recovery: !beforeStart,
      }
      made.push(
        expectValue(await client.request<WireAction>('POST', `/workflows/${workflowId}/actions`, wish), doing, where),
      )
    }
    stored.push({ schedulerId: id, actions: made })
  }
  return stored
}
