import Database from 'libsql'
import { STATUS } from '../../../api/core/status.ts'
import { RESULT_ID_STEP } from '../../../db/result-ids.ts'
import { answer } from './answer.ts'

/** How many jobs to add to a workflow: ready ones behind all others, and finished ones with their results and events. */
export type Filling = { dbPath: string; workflowId: number; ready: number; finished: number }

/**
 * Adds jobs by plain SQL, which is a hundred times quicker than running a million of them. They are what claims and completions would
 * have left: rows, texts, results, events and counts.
 */
function fillDatabase({ dbPath, workflowId, ready, finished }: Filling): Record<string, never> {
  const database = new Database(dbPath)
  database.exec('PRAGMA journal_mode=WAL')
  database.exec('PRAGMA synchronous=OFF')
  const { class_id: classId, last } = database
    .prepare('SELECT class_id, max(id) AS last FROM job WHERE workflow_id = ?')
    .get(workflowId) as { class_id: number; last: number }

  database.exec('BEGIN IMMEDIATE')
  const now = Date.now()
  const insertJobs = (first: number, count: number, columns: string, values: string): void => {
    if (count === 0) return
    const ids = `WITH RECURSIVE n(id) AS (SELECT ${first} UNION ALL SELECT id + 1 FROM n WHERE id < ${first + count - 1})`
    database.exec(
      `${ids} INSERT INTO job(id, workflow_id, class_id, ${columns}) SELECT id, ${workflowId}, ${classId}, ${values} FROM n`,
    )
    database.exec(`${ids} INSERT INTO job_text(id, name, command) SELECT id, 'filling_' || id, 'true' FROM n`)
  }
  const firstFinished = last + ready + 1
  insertJobs(last + 1, ready, 'status, ready_at', `${STATUS.ready}, ${now}`)
  insertJobs(
    firstFinished,
    finished,
    'status, results, latest_result_id',
    `${STATUS.completed}, 1, id * ${RESULT_ID_STEP} + 1`,
  )
  database.exec(`INSERT INTO result(id, job_id, workflow_id, run_id, attempt_id, return_code, exec_time_minutes, completion_time, status)
    SELECT latest_result_id, id, workflow_id, 0, 1, 0, 0.0001, '2026-01-01T00:00:00Z', status
    FROM job WHERE id >= ${firstFinished} AND workflow_id = ${workflowId}`)
  database.exec(`INSERT INTO stream_event(workflow_id, seq, at, type, job_id, data)
    SELECT workflow_id, (SELECT ifnull(max(seq), 0) FROM stream_event WHERE workflow_id = ${workflowId}) + id - ${firstFinished} + 1,
      ${now}, 'job_completed', id, '{"status":"completed","return_code":0}'
    FROM job WHERE id >= ${firstFinished} AND workflow_id = ${workflowId}`)
  const count = database.prepare('UPDATE workflow_count SET n = n + ? WHERE workflow_id = ? AND status = ?')
  count.run(ready, workflowId, STATUS.ready)
  count.run(finished, workflowId, STATUS.completed)
  database.exec('COMMIT')
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  database.close()
  return {}
}

await answer(fillDatabase)
