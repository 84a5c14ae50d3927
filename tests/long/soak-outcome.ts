import { expect } from 'vitest'
import { STATUS } from '../../api/core/status.ts'
import { all, type Db } from '../../db/unit.ts'
import type { Ledger } from './soak-ledger.ts'
import type { Made } from './soak-load.ts'

type Row = { job_id: number; attempt_id: number }

/** Compares what runners were told with what the database holds now: every job has ended, once, by the attempt that was acknowledged. */
export async function expectNothingLost(db: Db, ledger: Ledger, made: Made): Promise<void> {
  const statuses = await db.read(() =>
    all<{ status: number; n: number }>(
      'SELECT status, count(*) AS n FROM job WHERE workflow_id IN (SELECT value FROM json_each(?)) GROUP BY status',
      JSON.stringify(made.workflows),
    ),
  )
  expect(statuses).toEqual([{ status: STATUS.completed, n: made.jobs }])
  // Nothing was made twice either.
  expect(await db.read(() => all('SELECT count(*) AS n FROM job'))).toEqual([{ n: made.jobs }])
  const results = await resultsByJob(db)
  const lost = [...ledger.accepted].filter(([job, attempt]) => results.get(job)?.includes(attempt) !== true)
  expect(lost, 'acknowledged and not in the database').toEqual([])
  const twice = [...results].filter(([, attempts]) => attempts.length !== 1)
  expect(twice, 'not completed exactly once').toEqual([])
  expect(results.size).toBe(made.jobs)
}

const PAGE = 5_000

/** The attempts of each job that completed it, page by page: a libSQL server sends no more than 10 MB. */
async function resultsByJob(db: Db): Promise<Map<number, number[]>> {
  const found = new Map<number, number[]>()
  for (let after = 0; ; ) {
    const rows = await db.read(() =>
      all<Row & { id: number }>(
        `SELECT id, job_id, attempt_id FROM result WHERE id > ? AND status = ${STATUS.completed} AND superseded = 0 ORDER BY id LIMIT ${PAGE}`,
        after,
      ),
    )
    for (const { job_id, attempt_id } of rows) found.set(job_id, [...(found.get(job_id) ?? []), attempt_id])
    if (rows.length < PAGE) return found
    after = rows.at(-1)!.id
  }
}
