import Database from 'libsql'
import { STATUS } from '../../../api/core/status.ts'
import { answer } from './answer.ts'

/** Gives the jobs of a workflow that `fill-database` has added what lists show: a file, user data and a dependency each. */
export type Relations = { dbPath: string; workflowId: number; firstJob: number }
export type Related = { failed: number }

/** One in so many has failed, as in a large run that goes well. */
const FAILED_ONE_IN = 1_000

function fillRelations({ dbPath, workflowId, firstJob }: Relations): Related {
  const database = new Database(dbPath)
  database.exec('PRAGMA synchronous=OFF')
  const { file, data } = database
    .prepare('SELECT (SELECT ifnull(max(id), 0) FROM file) AS file, (SELECT ifnull(max(id), 0) FROM user_data) AS data')
    .get() as { file: number; data: number }
  const jobs = `FROM job WHERE workflow_id = ${workflowId} AND id >= ${firstJob}`
  database.exec('BEGIN IMMEDIATE')
  database.exec(
    `INSERT INTO file(id, workflow_id, name, path) SELECT id + ${file}, workflow_id, 'file_' || id, '/f/' || id ${jobs}`,
  )
  database.exec(`INSERT INTO job_file(job_id, is_output, file_id) SELECT id, 1, id + ${file} ${jobs}`)
  database.exec(
    `INSERT INTO user_data(id, workflow_id, name, data) SELECT id + ${data}, workflow_id, 'data_' || id, '1' ${jobs}`,
  )
  database.exec(`INSERT INTO job_user_data(job_id, is_output, user_data_id) SELECT id, 1, id + ${data} ${jobs}`)
  database.exec(`INSERT INTO job_edge(depends_on_job_id, job_id) SELECT id - 1, id ${jobs} AND id > ${firstJob}`)
  // The trigger of the database keeps the counters.
  const failed = database
    .prepare(
      `UPDATE job SET status = ${STATUS.failed} WHERE id IN (SELECT id ${jobs} AND id % ${FAILED_ONE_IN} = 0) RETURNING id`,
    )
    .all().length
  database.exec('COMMIT')
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  database.close()
  return { failed }
}

await answer(fillRelations)
