import {
  findNotOpen,
  findTaken,
  insertPipeMembers,
  listPipeGroups,
  type PipeGroup,
  type PipeSelection,
} from '../../db/pipe-groups.ts'
import { insertPipeRun, type PipeRunRow } from '../../db/pipe-runs.ts'
import { appendEvents } from '../../db/stream-events.ts'
import type { Unit } from '../../db/unit.ts'
import type { NewPipeRun } from '../contract/pipe.ts'
import type { SizeLimits } from '../core/pipe/decision.ts'
import { elementSize, leastWalltime } from '../core/pipe/element.ts'
import { firstDifference, type KeyDifference, keyText } from '../core/pipe/key.ts'
import { refilledTo } from '../core/pipe/refill.ts'
import { AppError } from '../errors.ts'

const USUAL = { width: 100, threshold: 10, slots: 1, graceSeconds: 120 }

/** Groups with one key: they differ in the estimate at most. */
type Alike = readonly [PipeGroup, ...PipeGroup[]]

/** What a run would be made of. */
export type Staging = { groups: Alike; selection: PipeSelection; ready: number; open: number }

/**
 * Decides which jobs a request means and whether they may share an array. Refuses with 422 and the field: jobs of two keys (never
 * split silently), fewer ready ones than the threshold, a job that does not fit the wall time, jobs of several nodes; with 409 a job that another run has.
 */
export function* planStaging(workflowId: number, asked: NewPipeRun): Unit<Staging> {
  const selection = selectionOf(asked)
  if (selection.jobIds !== undefined) yield* refuseUnlessFree(workflowId, selection.jobIds)
  const groups = yield* listPipeGroups(workflowId, selection)
  const considered = selection.jobIds === undefined ? groups.filter(group => group.ready > 0) : groups
  const alike = asked.choose === true ? mostReady(considered) : onlyKey(considered)
  if (alike === undefined) throw stagingError('threshold', `no job is ready`)
  const ready = sum(alike, group => group.ready)
  refuseBelowThreshold(ready, asked.threshold ?? USUAL.threshold)
  const [first] = alike
  const whole = groups.filter(group => keyText(group.key) === keyText(first.key)) as unknown as Alike
  refuseMisfits(whole, asked)
  return { groups: whole, selection, ready, open: sum(whole, group => group.open) }
}

/** Stores a run with its members, all of it fixed from now on. */
export function* stage(workflowId: number, asked: NewPipeRun, now: number): Unit<PipeRunRow> {
  const { groups, selection } = yield* planStaging(workflowId, asked)
  const values = runValues(asked, groups)
  const run = yield* insertPipeRun({
    ...values,
    workflow_id: workflowId,
    state: 'staged',
    state_since: now,
    created_at: now,
  })
  const members = yield* insertPipeMembers(run.id, workflowId, selection, groups)
  yield* appendEvents(workflowId, now, [{ type: 'pipe_run_staged', data: { pipe_run_id: run.id, members } }])
  return run
}

/** The columns that a request and its jobs come to. */
export function runValues(asked: NewPipeRun, [{ key }]: Alike) {
  const slots = asked.slots ?? USUAL.slots
  return {
    scheduler: asked.scheduler,
    directory: asked.directory,
    key: JSON.stringify(key),
    spec: JSON.stringify({ ...asked.spec, slots, element: elementSize(key, slots, asked.scheduler) }),
    width: asked.width ?? USUAL.width,
    throttle: asked.throttle ?? undefined,
    array_most: asked.array_most ?? undefined,
    walltime_seconds: asked.walltime_seconds,
    grace_seconds: asked.grace_seconds ?? USUAL.graceSeconds,
    post_step: asked.post_step ?? undefined,
    post_state: asked.post_step ? ('due' as const) : ('none' as const),
  }
}

type SizedRun = {
  scheduler: string
  width: number
  throttle?: number | null
  array_most?: number | null
}

/** What bounds one array of a run; `placesLeft` under a cap on what is queued. */
export const sizeOf = (
  { scheduler, width, throttle, array_most }: SizedRun,
  placesLeft?: number | null,
): SizeLimits => ({
  most: Math.min(width, refilledTo(scheduler, throttle) ?? width),
  arrayMost: array_most ?? undefined,
  placesLeft: placesLeft ?? undefined,
})

const selectionOf = ({ job_ids, family, tags }: NewPipeRun): PipeSelection => ({
  jobIds: job_ids ?? undefined,
  family: family ?? undefined,
  tags: tags ?? undefined,
})

const sum = (groups: readonly PipeGroup[], of: (group: PipeGroup) => number): number =>
  groups.reduce((total, group) => total + of(group), 0)

const stagingError = (field: string, why: string, extra: object = {}): AppError =>
  new AppError('invalid', `Cannot stage a pipe run as ${why}`, { field, ...extra })

function* refuseUnlessFree(workflowId: number, jobIds: readonly number[]): Unit<void> {
  const taken = yield* findTaken(jobIds)
  if (taken !== undefined)
    throw new AppError(
      'conflict',
      `Cannot stage a pipe run as job ${taken.job_id} is a member of pipe run ${taken.pipe_run_id}, which has not ended`,
      { field: 'job_ids' },
    )
  const [id] = yield* findNotOpen(workflowId, jobIds)
  if (id !== undefined)
    throw stagingError(
      'job_ids',
      `the workflow has no open job ${id}: it has ended, is not initialized, or is none of its jobs`,
    )
}

/** The groups of the only key there is; refuses two. */
function onlyKey(groups: readonly PipeGroup[]): Alike | undefined {
  const [first, ...others] = groups
  if (first === undefined) return undefined
  for (const other of others) {
    const difference = firstDifference(first.key, other.key)
    if (difference !== undefined) throw differenceError(difference, first, other)
  }
  return [first, ...others]
}

function differenceError({ field, values }: KeyDifference, first: PipeGroup, other: PipeGroup): AppError {
  const [one, two] = values.map(value => (value === null ? 'none' : String(value)))
  const why = `its jobs differ in ${field}: ${one} (job ${first.firstJob.name}), ${two} (job ${other.firstJob.name}); name jobs, a family or tags, or let it choose`
  return stagingError(field, why, { value: values[1], job_ids: [first.firstJob.id, other.firstJob.id] })
}

/** The groups of the key that has most ready jobs. */
function mostReady(groups: readonly PipeGroup[]): Alike | undefined {
  return [...groupByKey(groups).values()].sort(
    (one, other) => sum(other, group => group.ready) - sum(one, group => group.ready),
  )[0]
}

function groupByKey(groups: readonly PipeGroup[]): Map<string, Alike> {
  const found = new Map<string, Alike>()
  for (const group of groups) {
    const known = found.get(keyText(group.key))
    found.set(keyText(group.key), known === undefined ? [group] : [...known, group])
  }
  return found
}

function refuseBelowThreshold(ready: number, threshold: number): void {
  if (ready >= threshold) return
  const why = `${ready} ready jobs are fewer than the threshold of ${threshold}: run them by allocations of their own, or lower the threshold`
  throw stagingError('threshold', why, { value: threshold, ready })
}

function refuseMisfits(groups: Alike, { walltime_seconds, job_ids }: NewPipeRun): void {
  const [{ key, firstJob }] = groups
  if (key.num_nodes > 1)
    throw stagingError('num_nodes', `job ${firstJob.name} needs ${key.num_nodes} nodes and an element has one`)
  const longest = groups.reduce((one, other) => (other.longestSeconds > one.longestSeconds ? other : one))
  const least = leastWalltime(longest.longestSeconds)
  if (walltime_seconds >= least) return
  const why = `job ${longest.firstJob.name} does not fit: it is estimated at ${longest.longestSeconds} s, so walltime_seconds must be >= ${least}: current value is ${walltime_seconds}`
  throw stagingError('walltime_seconds', why, { value: walltime_seconds, job_ids: job_ids ?? [longest.firstJob.id] })
}
