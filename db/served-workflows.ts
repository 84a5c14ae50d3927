import type { Contender } from '../api/core/fairness.ts'
import type { SortMethod } from '../api/core/packing.ts'
import { STATUS } from '../api/core/status.ts'
import { CALLER, callerArgs, MAY_USE, type Subject } from './access-control.ts'
import { all, type SqlValue, type Unit } from './unit.ts'
import { VISIBLE } from './visible.ts'

/** Which workflows a runner works for that is not bound to one. */
export type Serving = {
  workflowIds?: readonly number[]
  user?: string
  project?: string
  /** Absent: everything is allowed. */
  subject?: Subject
}

/** A workflow with ready jobs, as a claim over many sees it. */
export type ReadyWorkflow = Contender & {
  run_id: number
  jobs_sort_method: SortMethod
  has_user_data: number
  has_failure_handlers: number
}

/** From one workflow with ready jobs to the next by the index of ready jobs: whatever else the database holds costs nothing. */
const ALL_READY = `
  WITH RECURSIVE ready(id) AS (
    SELECT min(workflow_id) FROM job INDEXED BY job_ready WHERE status = ${STATUS.ready} AND waits_until IS NULL
    UNION ALL
    SELECT (SELECT min(workflow_id) FROM job INDEXED BY job_ready
      WHERE status = ${STATUS.ready} AND waits_until IS NULL AND workflow_id > ready.id) FROM ready WHERE ready.id IS NOT NULL)`
const NAMED_READY = `
  WITH ready(id) AS (SELECT value FROM json_each(?) AS named WHERE EXISTS (
    SELECT 1 FROM job INDEXED BY job_ready WHERE workflow_id = named.value AND status = ${STATUS.ready} AND waits_until IS NULL))`

const readySql = (ready: string): string => `${ready}
  SELECT workflow.id, workflow.user, run_id, jobs_sort_method,
    (SELECT sum(n) FROM workflow_count WHERE workflow_id = workflow.id AND status IN (${STATUS.pending}, ${STATUS.running})) AS claimed,
    EXISTS (SELECT 1 FROM user_data WHERE workflow_id = workflow.id) AS has_user_data,
    EXISTS (SELECT 1 FROM failure_handler WHERE workflow_id = workflow.id) AS has_failure_handlers
  FROM ${CALLER} CROSS JOIN ready CROSS JOIN workflow ON workflow.id = ready.id
  WHERE state = 'live' AND is_canceled = 0 AND workflow.user = ifnull(?, workflow.user)
    AND workflow.project IS ifnull(?, workflow.project) AND (${MAY_USE})`

const READY_ANYWHERE = readySql(ALL_READY)
const READY_AMONG = readySql(NAMED_READY)

const ANYBODY: Subject = { name: null, hasAllRights: true }

/** The workflows this runner serves that have ready jobs, in the order of their ids. */
export function* listReadyWorkflows({ workflowIds, user, project, subject }: Serving): Unit<ReadyWorkflow[]> {
  const args: SqlValue[] = [...callerArgs(subject ?? ANYBODY), user ?? null, project ?? null]
  if (workflowIds === undefined) return yield* all<ReadyWorkflow>(READY_ANYWHERE, ...args)
  return yield* all<ReadyWorkflow>(READY_AMONG, JSON.stringify(workflowIds), ...args)
}

/** A workflow with ready jobs, and its newest event: when that is another one, something may have become ready. */
export type ReadyMark = { id: number; seq: number | null }

const markSql = (ready: string): string =>
  `${ready} SELECT id, (SELECT max(seq) FROM stream_event WHERE workflow_id = ready.id) AS seq FROM ready WHERE id IS NOT NULL`
const MARKS_ANYWHERE = markSql(ALL_READY)
const MARKS_AMONG = markSql(NAMED_READY)

/** Those of these workflows that have ready jobs; without a list, of all. */
export function* listReadyMarks(workflowIds: readonly number[] | undefined): Unit<ReadyMark[]> {
  if (workflowIds === undefined) return yield* all<ReadyMark>(MARKS_ANYWHERE)
  return yield* all<ReadyMark>(MARKS_AMONG, JSON.stringify(workflowIds))
}

/** Those of these workflows that exist and that the subject may use, with their users. */
export function* findUsable(
  ids: readonly number[],
  subject: Subject | undefined,
): Unit<{ id: number; user: string }[]> {
  if (ids.length === 0) return []
  return yield* all<{ id: number; user: string }>(
    `SELECT workflow.id, workflow.user FROM ${CALLER} CROSS JOIN json_each(?) AS named CROSS JOIN workflow ON workflow.id = named.value
     WHERE workflow.state IN (${VISIBLE}) AND (${MAY_USE}) ORDER BY named.key`,
    ...callerArgs(subject ?? ANYBODY),
    JSON.stringify(ids),
  )
}
