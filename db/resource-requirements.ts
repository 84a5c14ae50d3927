import { and, eq, sql } from 'drizzle-orm'
import { STATUS } from '../api/core/status.ts'
import { equals, type ListRequest, listTable, type Page } from './list.ts'
import { resourceRequirements } from './schema.ts'
import { all, one, run, type Unit } from './unit.ts'

export type RequirementsRow = typeof resourceRequirements.$inferSelect

export type RequirementsFilter = {
  workflow_id: number
  job_id?: number
  name?: string
  memory?: string
  num_cpus?: number
  num_gpus?: number
  num_nodes?: number
  /** Seconds. */
  runtime?: number
}

const SORTS = {
  id: resourceRequirements.id,
  workflow_id: resourceRequirements.workflow_id,
  name: resourceRequirements.name,
  num_cpus: resourceRequirements.num_cpus,
  num_gpus: resourceRequirements.num_gpus,
  num_nodes: resourceRequirements.num_nodes,
  // By what the texts mean.
  memory: resourceRequirements.memory_bytes,
  runtime: resourceRequirements.runtime_seconds,
}

export function* listRequirements(filter: RequirementsFilter, request: ListRequest): Unit<Page<RequirementsRow>> {
  const where = and(
    eq(resourceRequirements.workflow_id, filter.workflow_id),
    equals(resourceRequirements.name, filter.name),
    equals(resourceRequirements.memory, filter.memory),
    equals(resourceRequirements.num_cpus, filter.num_cpus),
    equals(resourceRequirements.num_gpus, filter.num_gpus),
    equals(resourceRequirements.num_nodes, filter.num_nodes),
    equals(resourceRequirements.runtime_seconds, filter.runtime),
    filter.job_id === undefined
      ? undefined
      : sql`${resourceRequirements.id} = (SELECT c.resource_requirements_id FROM job j JOIN job_class c ON c.id = j.class_id WHERE j.id = ${filter.job_id})`,
  )
  return yield* listTable(resourceRequirements, where, request, SORTS)
}

/** Finds the requirement a workflow has under a name; the oldest one when several share it. */
export function* findRequirementsByName(workflowId: number, name: string): Unit<RequirementsRow | undefined> {
  return yield* one<RequirementsRow>(
    'SELECT * FROM resource_requirements WHERE workflow_id = ? AND name = ? ORDER BY id LIMIT 1',
    workflowId,
    name,
  )
}

/** Gives those of the ids that are requirements of this workflow. */
export function* requirementsAmong(workflowId: number, ids: readonly number[]): Unit<Set<number>> {
  const rows = yield* all<{ id: number }>(
    'SELECT id FROM resource_requirements WHERE workflow_id = ? AND id IN (SELECT value FROM json_each(?))',
    workflowId,
    JSON.stringify(ids),
  )
  return new Set(rows.map(row => row.id))
}

/** Whether a job uses it. Classes that no job has any more do not count. */
export function* isUsed(id: number): Unit<boolean> {
  const found = yield* one(`SELECT 1 FROM resource_requirements AS r WHERE r.id = ? AND ${USED}`, id)
  return found !== undefined
}

const USED = `EXISTS (SELECT 1 FROM job_class AS c JOIN job AS j ON j.workflow_id = c.workflow_id AND j.class_id = c.id
  WHERE c.resource_requirements_id = r.id)`

/** Removes requirements that no job uses, `default` excepted: one of them, or all of a workflow. Tells how many. */
export function* deleteUnusedRequirements(workflowId: number, only?: number): Unit<number> {
  const rows = yield* all<{ id: number }>(
    `SELECT r.id FROM resource_requirements AS r
     WHERE r.workflow_id = ? AND r.name <> 'default' AND r.id = ifnull(?, r.id) AND NOT ${USED}`,
    workflowId,
    only ?? null,
  )
  const ids = JSON.stringify(rows.map(row => row.id))
  yield* run('DELETE FROM job_class WHERE resource_requirements_id IN (SELECT value FROM json_each(?))', ids)
  yield* run('DELETE FROM resource_requirements WHERE id IN (SELECT value FROM json_each(?))', ids)
  return rows.length
}

export type ReadySums = {
  num_jobs: number
  num_cpus: number
  num_gpus: number
  memory_bytes: number
  max_num_nodes: number
  max_runtime_seconds: number
}

/** What all ready jobs need together; only unbound ones and those bound to the scheduler, as a strict claim takes them. */
export function* sumReadyRequirements(workflowId: number, schedulerId: number | undefined): Unit<ReadySums> {
  const row = yield* one<ReadySums>(
    `SELECT count(*) AS num_jobs, ifnull(sum(r.num_cpus), 0) AS num_cpus, ifnull(sum(r.num_gpus), 0) AS num_gpus,
       ifnull(sum(r.memory_bytes), 0) AS memory_bytes, ifnull(max(r.num_nodes), 0) AS max_num_nodes,
       ifnull(max(r.runtime_seconds), 0) AS max_runtime_seconds
     FROM job_class AS c JOIN resource_requirements AS r ON r.id = c.resource_requirements_id
     JOIN job AS j ON j.workflow_id = c.workflow_id AND j.class_id = c.id AND j.status = ${STATUS.ready}
     WHERE c.workflow_id = ?1 AND (c.scheduler_id IS NULL OR c.scheduler_id = ?2)`,
    workflowId,
    schedulerId ?? null,
  )
  return row!
}
