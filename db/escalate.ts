import type { Asked } from '../api/core/failure-decision.ts'
import { classesFor } from './job-classes.ts'
import { limitTime } from './job-update.ts'
import { resourceRequirements } from './schema.ts'
import { findRow, insertRow } from './table.ts'
import { one, run, type Unit } from './unit.ts'

type NeedRow = { workflow_id: number; scheduler_id: number | null; labels: string; resource_requirements_id: number }

const NEED = `
  SELECT j.workflow_id, c.scheduler_id, c.labels, c.resource_requirements_id
  FROM job j JOIN job_class c ON c.id = j.class_id WHERE j.id = ?`

/** Parts the name of a set made here from the name of the set it came from. */
const MARK = ' retried with '

/**
 * Lets a job ask for more from its next attempt on: it gets a set of resource requirements of its own, which jobs that grow alike share.
 * Others of its old set keep theirs.
 */
export function* escalateJob(jobId: number, next: Asked): Unit<void> {
  const need = yield* one<NeedRow>(NEED, jobId)
  if (need === undefined) return
  const { workflow_id, scheduler_id, labels } = need
  const set = yield* findOrMakeSet(need, next)
  const key = { resource_requirements_id: set, scheduler_id, labels }
  const classOf = yield* classesFor(workflow_id, [key])
  yield* run('UPDATE job SET class_id = ? WHERE id = ?', classOf(key), jobId)
  if (next.timeLimitSeconds !== undefined) yield* limitTime(jobId, next.timeLimitSeconds)
}

function* findOrMakeSet({ workflow_id, resource_requirements_id }: NeedRow, next: Asked): Unit<number> {
  const from = yield* findRow(resourceRequirements, resource_requirements_id)
  if (from === undefined) return resource_requirements_id
  const memory = String(next.memoryBytes)
  const runtime = `PT${next.runtimeSeconds}S`
  const name = `${from.name.split(MARK)[0]}${MARK}${memory} bytes ${runtime}`
  const known = yield* one<{ id: number }>(
    'SELECT id FROM resource_requirements WHERE workflow_id = ? AND name = ?',
    workflow_id,
    name,
  )
  if (known !== undefined) return known.id
  const { id: _, ...same } = from
  const made = yield* insertRow(resourceRequirements, {
    ...same,
    name,
    memory,
    memory_bytes: next.memoryBytes,
    runtime,
    runtime_seconds: next.runtimeSeconds,
  })
  return made.id
}
