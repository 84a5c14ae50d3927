import Database from 'libsql'
import { WrongResult } from '../types.ts'

export type BareLoop = { dbPath: string; jobs: number; batch: number; durability: 'process' | 'power' }
export type BareRate = { seconds: number }

const CREATE = `CREATE TABLE job (
  id INTEGER PRIMARY KEY, workflow_id INTEGER NOT NULL, status INTEGER NOT NULL, priority INTEGER NOT NULL,
  name TEXT NOT NULL, command TEXT NOT NULL, claimed_at INTEGER, finished_at INTEGER
) STRICT`
const CLAIM = `UPDATE job SET status = 4, claimed_at = ?1
  WHERE id IN (SELECT id FROM job WHERE workflow_id = 1 AND status = 2 ORDER BY priority DESC, id LIMIT ?2)
  RETURNING id, name, command`
const COMPLETE = 'UPDATE job SET status = 5, finished_at = ?1 WHERE id IN (SELECT value FROM json_each(?2))'

/**
 * What the database alone can do with the plainest of job tables: claim a batch by one UPDATE … RETURNING and complete it by one UPDATE
 * over json_each, in one transaction. No dependencies, no results, no events, no HTTP.
 */
function bareLoop({ dbPath, jobs, batch, durability }: BareLoop): BareRate {
  const database = new Database(dbPath)
  database.exec('PRAGMA journal_mode=WAL')
  database.exec(`PRAGMA synchronous=${durability === 'power' ? 'FULL' : 'NORMAL'}`)
  database.exec(CREATE)
  database.exec('CREATE INDEX job_ready ON job(workflow_id, status, priority DESC, id)')
  database.exec(
    `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${jobs})
     INSERT INTO job SELECT i, 1, 2, 0, 'job_' || i, 'true', NULL, NULL FROM n`,
  )
  const claim = database.prepare(CLAIM)
  const complete = database.prepare(COMPLETE)

  const beganAt = performance.now()
  for (let left = jobs; left > 0; left -= batch) {
    database.exec('BEGIN IMMEDIATE')
    const now = Date.now()
    const claimed = claim.all(now, batch) as { id: number }[]
    complete.run(now, JSON.stringify(claimed.map(({ id }) => id)))
    database.exec('COMMIT')
  }
  const seconds = (performance.now() - beganAt) / 1000

  const { done } = database.prepare('SELECT count(*) AS done FROM job WHERE status = 5').get() as { done: number }
  database.close()
  if (done !== jobs) throw new WrongResult(`The bare loop completed ${done} jobs of ${jobs}`)
  return { seconds }
}

process.stdout.write(JSON.stringify(bareLoop(JSON.parse(process.argv[2]!) as BareLoop)))
