import { all, one, type Unit } from './unit.ts'

export type TaskRow = {
  id: number
  workflow_id: number
  operation: string
  status: 'queued' | 'running' | 'succeeded' | 'failed'
  /** JSON of what was asked, to tell a repeated request from another one. */
  parameters: string
  created_at_ms: number
  started_at_ms: number | null
  finished_at_ms: number | null
  error: string | null
}

/** Finds a task, unless its workflow is gone. */
export function* findTask(id: number): Unit<TaskRow | undefined> {
  return yield* one<TaskRow>(
    `SELECT t.* FROM task AS t JOIN workflow AS w ON w.id = t.workflow_id AND w.state <> 'deleting' WHERE t.id = ?`,
    id,
  )
}

/** The task of a workflow that has not ended; there is at most one. */
export function* findActiveTask(workflowId: number): Unit<TaskRow | undefined> {
  return yield* one<TaskRow>(`SELECT * FROM task WHERE workflow_id = ? AND status IN ('queued', 'running')`, workflowId)
}

/** Stores a task that begins now. The workflow must have no active one. */
export function* insertTask(workflowId: number, operation: string, parameters: string, now: number): Unit<TaskRow> {
  const row = yield* one<TaskRow>(
    `INSERT INTO task (workflow_id, operation, status, parameters, created_at_ms, started_at_ms)
     VALUES (?1, ?2, 'running', ?3, ?4, ?4) RETURNING *`,
    workflowId,
    operation,
    parameters,
    now,
  )
  return row!
}

/** Ends a task: well, or with what went wrong. */
export function* finishTask(id: number, now: number, error?: string): Unit<TaskRow> {
  const row = yield* one<TaskRow>(
    'UPDATE task SET status = ?, finished_at_ms = ?, error = ? WHERE id = ? RETURNING *',
    error === undefined ? 'succeeded' : 'failed',
    now,
    error ?? null,
    id,
  )
  return row!
}

/** Whether a task that began before this moment has not ended. */
export function* hasOpenTasks(startedBefore: number): Unit<boolean> {
  const row = yield* one(
    `SELECT 1 FROM task WHERE status IN ('queued', 'running') AND created_at_ms < ? LIMIT 1`,
    startedBefore,
  )
  return row !== undefined
}

/**
 * Marks as failed what a stopped server left running: all of it when the only server of a file starts, what is old where others may
 * still be at work. Gives the ids.
 */
export function* failOpenTasks(now: number, startedBefore = Number.MAX_SAFE_INTEGER): Unit<number[]> {
  const rows = yield* all<{ id: number }>(
    `UPDATE task SET status = 'failed', finished_at_ms = ?, error = 'The server restarted before the task had ended: start it again'
     WHERE status IN ('queued', 'running') AND created_at_ms < ? RETURNING id`,
    now,
    startedBefore,
  )
  return rows.map(row => row.id)
}
