import { fingerprint } from '../api/core/fingerprint.ts'
import { all, type Db, one, run, type SqlValue, type Unit } from './unit.ts'

/**
 * Notices inputs that changed after a workflow was initialized (contract/notes.md 8.4). Every job that was there then carries a hash. Of what
 * a job runs on, its invocation script and the data of its input user_data may change at any time, so the hash is theirs; whoever changes
 * anything else says so by noteChangedInputs().
 */

/** Ids looked at in one transaction, so that it ends within about 100 ms. */
const CHUNK = 5_000

/** In place of the hash of a job that has neither script nor data, so that most jobs are never read. */
const NEITHER = ''
/** In place of the hash of a job that runs on something else since: no hash is like it. */
const CHANGED = 'changed'

type Hashed = { id: number; name: string; stored: string | null; current: string }
type Range = { first: number; last: number }

/** Stores the hashes of all jobs as they are now; called when a workflow has been initialized. */
export async function storeInputHashes(db: Db, workflowId: number): Promise<void> {
  for (const range of await db.read(() => listRanges(workflowId))) {
    const changed = (await db.read(() => readHashes(workflowId, range))).filter(job => job.stored !== job.current)
    if (changed.length > 0) await db.write(() => storeHashes(changed))
    if (await db.read(() => hasNew(workflowId, range))) await db.write(() => storeNeither(workflowId, range))
  }
}

/** Gives the jobs whose inputs are others than when they were initialized, by id. */
export function* listChangedJobs(workflowId: number): Unit<{ id: number; name: string }[]> {
  const found: Hashed[] = []
  for (const range of yield* listRanges(workflowId)) found.push(...(yield* readHashes(workflowId, range)))
  return found.filter(job => job.stored !== null && job.stored !== job.current)
}

/** Says that jobs run on something else than when they were initialized. `jobs` is a query for their ids. */
export function* noteChangedInputs(jobs: string, ...args: SqlValue[]): Unit<void> {
  yield* run(`UPDATE job_text SET input_hash = '${CHANGED}' WHERE input_hash IS NOT NULL AND id IN (${jobs})`, ...args)
}

function* listRanges(workflowId: number): Unit<Range[]> {
  const ends = yield* one<{ first: number | null; last: number | null }>(
    'SELECT min(id) AS first, max(id) AS last FROM job WHERE workflow_id = ?',
    workflowId,
  )
  const ranges: Range[] = []
  for (let first = ends?.first ?? 0; first <= (ends?.last ?? -1); first += CHUNK)
    ranges.push({ first, last: first + CHUNK - 1 })
  return ranges
}

function* readHashes(workflowId: number, { first, last }: Range): Unit<Hashed[]> {
  type Row = {
    id: number
    name: string
    stored: string | null
    script: string | null
    inputs: string | null
  }
  const rows = yield* all<Row>(
    `SELECT j.id, t.name, t.input_hash AS stored, nullif(t.invocation_script, '') AS script, (
       SELECT group_concat(u.id || ' ' || ifnull(u.data, ''), char(10)) FROM (
         SELECT user_data_id FROM job_user_data WHERE job_id = j.id AND is_output = 0 ORDER BY user_data_id) AS l
       JOIN user_data AS u ON u.id = l.user_data_id) AS inputs
     FROM job AS j JOIN job_text AS t ON t.id = j.id
     WHERE j.workflow_id = ? AND j.id BETWEEN ? AND ?
       AND (t.input_hash <> '${NEITHER}' OR t.invocation_script IS NOT NULL OR EXISTS (
         SELECT 1 FROM job_user_data WHERE job_id = j.id AND is_output = 0))
     ORDER BY j.id`,
    workflowId,
    first,
    last,
  )
  return rows.map(({ script, inputs, ...row }) => ({
    ...row,
    current: script === null && inputs === null ? NEITHER : fingerprint(JSON.stringify([script, inputs])),
  }))
}

function* storeHashes(jobs: readonly Hashed[]): Unit<void> {
  yield* run(
    `WITH new AS MATERIALIZED (SELECT value->>0 AS id, value->>1 AS hash FROM json_each(?))
     UPDATE job_text SET input_hash = new.hash FROM new WHERE job_text.id = new.id`,
    JSON.stringify(jobs.map(job => [job.id, job.current])),
  )
}

/** Jobs whose hash has not been stored, behind those that have one: they have neither script nor data. */
const NEW = 'input_hash IS NULL AND id IN (SELECT id FROM job WHERE workflow_id = ? AND id BETWEEN ? AND ?)'

function* hasNew(workflowId: number, { first, last }: Range): Unit<boolean> {
  return (yield* one(`SELECT 1 FROM job_text WHERE ${NEW} LIMIT 1`, workflowId, first, last)) !== undefined
}

function* storeNeither(workflowId: number, { first, last }: Range): Unit<void> {
  yield* run(`UPDATE job_text SET input_hash = '${NEITHER}' WHERE ${NEW}`, workflowId, first, last)
}
