import { insertRows } from './rows.ts'
import { all, one, run, together, type Unit } from './unit.ts'

/** The arrays of a job that name other rows: what it waits for, what it reads and writes. */
export type JobLinks = {
  depends_on_job_ids: readonly number[]
  input_file_ids: readonly number[]
  output_file_ids: readonly number[]
  input_user_data_ids: readonly number[]
  output_user_data_ids: readonly number[]
}

export type JobLink = keyof JobLinks

/** In which table each array names rows. */
const NAMED: Record<JobLink, string> = {
  depends_on_job_ids: 'job',
  input_file_ids: 'file',
  output_file_ids: 'file',
  input_user_data_ids: 'user_data',
  output_user_data_ids: 'user_data',
}

export const JOB_LINKS = Object.keys(NAMED) as JobLink[]

/** No links of one kind. Shared, since most jobs of a large workflow have none. */
export const NONE: readonly number[] = []

export const NO_LINKS: JobLinks = {
  depends_on_job_ids: NONE,
  input_file_ids: NONE,
  output_file_ids: NONE,
  input_user_data_ids: NONE,
  output_user_data_ids: NONE,
}

/** Ids as they are stored and shown: each once, ascending. */
export const idSet = (ids: readonly number[]): readonly number[] =>
  ids.length < 2 ? ids : [...new Set(ids)].sort((a, b) => a - b)

/** Finds the first id that names no row of this workflow; undefined when all are well. */
export function* findStrangeLink(
  workflowId: number,
  jobs: readonly Partial<JobLinks>[],
): Unit<{ field: JobLink; id: number } | undefined> {
  for (const field of JOB_LINKS) {
    const ids = new Set(jobs.flatMap(job => job[field] ?? []))
    if (ids.size === 0) continue
    const strange = yield* one<{ id: number }>(
      `SELECT named.value AS id FROM json_each(?) AS named
       LEFT JOIN ${NAMED[field]} AS t ON t.id = named.value AND t.workflow_id = ? WHERE t.id IS NULL LIMIT 1`,
      JSON.stringify([...ids]),
      workflowId,
    )
    if (strange !== undefined) return { field, id: strange.id }
  }
  return undefined
}

/** Stores the links of new jobs; each names an id once. */
export function* insertLinks(jobs: readonly ({ id: number } & JobLinks)[]): Unit<void> {
  const rows = (inputs: JobLink, outputs: JobLink) =>
    jobs.flatMap(job => [...job[inputs].map(id => [job.id, 0, id]), ...job[outputs].map(id => [job.id, 1, id])])
  const edges = jobs.flatMap(job => job.depends_on_job_ids.map(id => [id, job.id]))
  yield* insertRows('job_edge', ['depends_on_job_id', 'job_id'], edges)
  yield* insertRows('job_file', ['job_id', 'is_output', 'file_id'], rows('input_file_ids', 'output_file_ids'))
  yield* insertRows(
    'job_user_data',
    ['job_id', 'is_output', 'user_data_id'],
    rows('input_user_data_ids', 'output_user_data_ids'),
  )
}

/** Gives the links of each of these jobs, ids ascending. */
export function* linksOf(jobIds: readonly number[]): Unit<Map<number, JobLinks>> {
  const links = new Map(jobIds.map(id => [id, emptyLists()]))
  const args = [JSON.stringify(jobIds)]
  const [edges, files, userData] = yield* together([
    {
      sql: `SELECT e.job_id, e.depends_on_job_id AS id FROM json_each(?) AS j CROSS JOIN job_edge AS e ON e.job_id = j.value
        ORDER BY e.job_id, e.depends_on_job_id`,
      args,
    },
    {
      sql: `SELECT f.job_id, f.is_output, f.file_id AS id FROM json_each(?) AS j CROSS JOIN job_file AS f ON f.job_id = j.value
        ORDER BY f.job_id, f.is_output, f.file_id`,
      args,
    },
    {
      sql: `SELECT u.job_id, u.is_output, u.user_data_id AS id FROM json_each(?) AS j CROSS JOIN job_user_data AS u ON u.job_id = j.value
        ORDER BY u.job_id, u.is_output, u.user_data_id`,
      args,
    },
  ])
  for (const { job_id, id } of edges!) links.get(job_id)!.depends_on_job_ids.push(id)
  for (const { job_id, is_output, id } of files!)
    links.get(job_id)![is_output ? 'output_file_ids' : 'input_file_ids'].push(id)
  for (const { job_id, is_output, id } of userData!) {
    links.get(job_id)![is_output ? 'output_user_data_ids' : 'input_user_data_ids'].push(id)
  }
  return links
}

const emptyLists = (): Record<JobLink, number[]> => ({
  depends_on_job_ids: [],
  input_file_ids: [],
  output_file_ids: [],
  input_user_data_ids: [],
  output_user_data_ids: [],
})

/** Puts new dependencies of a job in the place of all it had. */
export function* replaceDependencies(jobId: number, dependsOn: readonly number[]): Unit<void> {
  yield* run('DELETE FROM job_edge WHERE job_id = ?', jobId)
  yield* insertLinks([{ id: jobId, ...NO_LINKS, depends_on_job_ids: idSet(dependsOn) }])
}

/** Gives the jobs that wait for this one, directly or through others. */
export function* listDescendants(jobIds: readonly number[]): Unit<number[]> {
  const rows = yield* all<{ id: number }>(
    `WITH RECURSIVE below(id) AS (
       SELECT e.job_id FROM json_each(?) AS j CROSS JOIN job_edge AS e ON e.depends_on_job_id = j.value
       UNION SELECT e.job_id FROM below CROSS JOIN job_edge AS e ON e.depends_on_job_id = below.id
     ) SELECT id FROM below ORDER BY id`,
    JSON.stringify(jobIds),
  )
  return rows.map(row => row.id)
}
