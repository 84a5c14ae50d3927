import { type PipeKey, runtimeClass } from '../api/core/pipe/key.ts'
import { STATUS } from '../api/core/status.ts'
import { OPEN, PIPE_OVER } from './pipe-members.ts'
import { all, one, run, type Unit } from './unit.ts'

/** Jobs of a workflow that could share an array: their key, how many there are, and one of them to name in messages. */
export type PipeGroup = {
  key: PipeKey
  /** Could be claimed now. */
  ready: number
  /** Have not ended, the ready ones included. */
  open: number
  /** The first of them, a ready one if there is any. */
  firstJob: { id: number; name: string }
  longestSeconds: number
}

/** Which jobs are meant: those that meet every condition given. */
export type PipeSelection = {
  jobIds?: readonly number[]
  family?: string
  tags?: Readonly<Record<string, string>>
}

/** The family is the name of the resource set unless the job says otherwise (spec-format.md 25). */
const FAMILY = `ifnull(t.options ->> '$.family', r.name)`
const TAGS = `ifnull(t.options -> '$.tags', '{}')`

/** Whether a job has all tags of a JSON object. Keys and values are compared as they are: either may hold any character. */
const hasTags = (wanted: string): string =>
  `NOT EXISTS (SELECT 1 FROM json_each(${wanted}) AS g
     WHERE NOT EXISTS (SELECT 1 FROM json_each(${TAGS}) AS h WHERE h.key = g.key AND h.value = g.value))`

/** Selected open jobs; no job is taken twice, so those that a run has which has not ended are left out. */
const FROM = `
  FROM job AS j JOIN job_text AS t ON t.id = j.id JOIN job_class AS c ON c.id = j.class_id
    JOIN resource_requirements AS r ON r.id = c.resource_requirements_id
  WHERE j.workflow_id = ?1 AND j.status IN (${OPEN})
    AND (?2 IS NULL OR j.id IN (SELECT value FROM json_each(?2)))
    AND (?3 IS NULL OR ${FAMILY} = ?3)
    AND ${hasTags('?4')}
    AND NOT EXISTS (SELECT 1 FROM pipe_member AS m JOIN pipe_run AS p ON p.id = m.pipe_run_id
      WHERE m.job_id = j.id AND p.state NOT IN (${PIPE_OVER}))`

const GROUPS = `
  SELECT r.num_cpus, r.memory_bytes AS memory, r.num_gpus, r.num_nodes, r.runtime_seconds, c.scheduler_id, t.invocation_script,
    c.labels, ${FAMILY} AS family, ${TAGS} AS tags,
    count(*) FILTER (WHERE j.status = ${STATUS.ready} AND j.waits_until IS NULL) AS ready, count(*) AS open,
    min(j.id) AS first_id, min(j.id) FILTER (WHERE j.status = ${STATUS.ready}) AS first_ready_id
  ${FROM}
  GROUP BY r.num_cpus, r.memory_bytes, r.num_gpus, r.num_nodes, r.runtime_seconds, c.scheduler_id, t.invocation_script, c.labels,
    family, tags
  ORDER BY ifnull(first_ready_id, first_id)`

type GroupRow = Omit<PipeKey, 'runtime' | 'tags'> & {
  runtime_seconds: number
  tags: string
  ready: number
  open: number
  first_id: number
  first_ready_id: number | null
}

const argsOf = (workflowId: number, { jobIds, family, tags }: PipeSelection) =>
  [
    workflowId,
    jobIds === undefined ? null : JSON.stringify(jobIds),
    family ?? null,
    JSON.stringify(tags ?? {}),
  ] as const

/** Lists the groups of the selected open jobs, in the order of their first ready job. Groups that differ in the estimate alone are apart here. */
export function* listPipeGroups(workflowId: number, selection: PipeSelection): Unit<PipeGroup[]> {
  const rows = yield* all<GroupRow>(GROUPS, ...argsOf(workflowId, selection))
  const names = yield* all<{ id: number; name: string }>(
    'SELECT id, name FROM job_text WHERE id IN (SELECT value FROM json_each(?))',
    JSON.stringify(rows.map(row => row.first_ready_id ?? row.first_id)),
  )
  const nameOf = new Map(names.map(row => [row.id, row.name]))
  return rows.map(({ runtime_seconds, tags, ready, open, first_id, first_ready_id, ...rest }) => {
    const id = first_ready_id ?? first_id
    return {
      key: { ...rest, runtime: runtimeClass(runtime_seconds), tags: JSON.parse(tags) as Record<string, string> },
      ready,
      open,
      firstJob: { id, name: nameOf.get(id) ?? '' },
      longestSeconds: runtime_seconds,
    }
  })
}

/** Of these jobs, those that the workflow does not have, or that have ended, or wait to be initialised. */
export function* findNotOpen(workflowId: number, jobIds: readonly number[]): Unit<number[]> {
  const rows = yield* all<{ id: number }>(
    `SELECT asked.value AS id FROM json_each(?2) AS asked
     WHERE NOT EXISTS (SELECT 1 FROM job WHERE id = asked.value AND workflow_id = ?1 AND status IN (${OPEN})) LIMIT 10`,
    workflowId,
    JSON.stringify(jobIds),
  )
  return rows.map(row => row.id)
}

/** The first of these jobs that is a member of a run which has not ended. */
export function* findTaken(jobIds: readonly number[]): Unit<{ job_id: number; pipe_run_id: number } | undefined> {
  return yield* one<{ job_id: number; pipe_run_id: number }>(
    `SELECT m.job_id, m.pipe_run_id FROM json_each(?) AS asked JOIN pipe_member AS m ON m.job_id = asked.value
       JOIN pipe_run AS p ON p.id = m.pipe_run_id
     WHERE p.state NOT IN (${PIPE_OVER}) ORDER BY m.job_id LIMIT 1`,
    JSON.stringify(jobIds),
  )
}

/** Makes the selected open jobs of these groups members of a run and tells how many there are. */
export function* insertPipeMembers(
  pipeRunId: number,
  workflowId: number,
  selection: PipeSelection,
  groups: readonly PipeGroup[],
): Unit<number> {
  const wanted = groups.map(({ key, longestSeconds }) => ({ ...key, seconds: longestSeconds }))
  yield* run(
    `INSERT INTO pipe_member SELECT ?6, j.id ${FROM} AND EXISTS (SELECT 1 FROM json_each(?5) AS w WHERE
       w.value ->> 'num_cpus' = r.num_cpus AND w.value ->> 'memory' = r.memory_bytes AND w.value ->> 'num_gpus' = r.num_gpus
       AND w.value ->> 'num_nodes' = r.num_nodes AND w.value ->> 'seconds' = r.runtime_seconds
       AND w.value ->> 'scheduler_id' IS c.scheduler_id AND w.value ->> 'invocation_script' IS t.invocation_script
       AND w.value ->> 'labels' = c.labels AND w.value ->> 'family' = ${FAMILY}
       AND ${hasTags("w.value -> 'tags'")}
       AND (SELECT count(*) FROM json_each(w.value -> 'tags')) = (SELECT count(*) FROM json_each(${TAGS})))`,
    ...argsOf(workflowId, selection),
    JSON.stringify(wanted),
    pipeRunId,
  )
  const row = yield* one<{ n: number }>('SELECT count(*) AS n FROM pipe_member WHERE pipe_run_id = ?', pipeRunId)
  return row!.n
}
