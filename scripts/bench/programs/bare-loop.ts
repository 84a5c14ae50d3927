import Database from 'libsql'
import { STATUS } from '../../../api/core/status.ts'
import { WrongResult } from '../types.ts'
import { answer } from './answer.ts'

export type BareLoop = {
  /** A database with one workflow, whose jobs are of one class. */
  dbPath: string
  batch: number
  /** How often all jobs are worked off: one pass is over too soon to be timed. */
  passes: number
  durability: 'process' | 'power'
}
export type BareRate = { jobs: number; seconds: number }

const OPEN = `UPDATE job SET status = ${STATUS.ready}`
const CLAIM = `UPDATE job SET status = ${STATUS.running}
  WHERE id IN (
    SELECT id FROM job INDEXED BY job_ready
    WHERE workflow_id = ?1 AND class_id = ?2 AND status = ${STATUS.ready} AND waits_until IS NULL ORDER BY priority DESC, id LIMIT ?3
  ) RETURNING id`
const COMPLETE = `UPDATE job SET status = ${STATUS.completed} WHERE id IN (SELECT value FROM json_each(?))`

/**
 * What the database alone can do with the same job table: claim a batch by one UPDATE … RETURNING and complete it by one UPDATE over
 * json_each, in one transaction. No dependencies, no tokens, no results, no events, no HTTP.
 */
function bareLoop({ dbPath, batch, passes, durability }: BareLoop): BareRate {
  const database = new Database(dbPath)
  database.exec('PRAGMA journal_mode=WAL')
  database.exec(`PRAGMA synchronous=${durability === 'power' ? 'FULL' : 'NORMAL'}`)
  const { workflow, jobClass } = database
    .prepare('SELECT workflow_id AS workflow, class_id AS jobClass FROM job LIMIT 1')
    .get() as { workflow: number; jobClass: number }
  const claim = database.prepare(CLAIM)
  const complete = database.prepare(COMPLETE)
  let jobs = 0
  let seconds = 0
  for (let pass = 0; pass < passes; pass++) {
    database.exec(OPEN)
    const beganAt = performance.now()
    for (let claimed = batch; claimed === batch; jobs += claimed) {
      database.exec('BEGIN IMMEDIATE')
      const rows = claim.all(workflow, jobClass, batch) as { id: number }[]
      complete.run(JSON.stringify(rows.map(({ id }) => id)))
      database.exec('COMMIT')
      claimed = rows.length
    }
    seconds += (performance.now() - beganAt) / 1000
  }
  const { wanted, done } = database
    .prepare(`SELECT count(*) AS wanted, sum(status = ${STATUS.completed}) AS done FROM job`)
    .get() as { wanted: number; done: number }
  database.close()
  if (done !== wanted || jobs !== wanted * passes)
    throw new WrongResult(`The bare loop completed ${done} of ${wanted} jobs, ${jobs} in ${passes} passes`)
  return { jobs, seconds }
}

await answer(bareLoop)
