import type { Selector } from '../api/core/bulk-change.ts'
import { STATUS } from '../api/core/status.ts'
import { all, one, type SqlValue, type Unit } from './unit.ts'

/** Jobs looked at in one statement, matching or not, so that a rare match in a large workflow blocks nobody. */
const WINDOW = 5_000

export type SelectedJob = { id: number; status: number; class_id: number }

/** A stretch of a workflow's jobs: those of it that are selected, and where the next stretch begins; null after the last one. */
export type Stretch = { jobs: SelectedJob[]; next: number | null }

/** Reads the selected jobs of the stretch that begins behind an id. */
export function* selectJobs(workflowId: number, selector: Selector, after: number): Unit<Stretch> {
  const stretch = yield* one<{ last: number | null }>(
    `SELECT max(id) AS last FROM (SELECT id FROM job WHERE workflow_id = ? AND id > ? ORDER BY id LIMIT ${WINDOW})`,
    workflowId,
    after,
  )
  const last = stretch?.last ?? null
  if (last === null) return { jobs: [], next: null }
  const { conditions, args } = conditionsOf(selector)
  const jobs = yield* all<SelectedJob>(
    `SELECT j.id, j.status, j.class_id FROM job AS j JOIN job_text AS t ON t.id = j.id JOIN job_class AS c ON c.id = j.class_id
     WHERE ${['j.workflow_id = ? AND j.id > ? AND j.id <= ?', ...conditions].join(' AND ')} ORDER BY j.id`,
    workflowId,
    after,
    last,
    ...args,
  )
  return { jobs, next: last }
}

function conditionsOf({ status, name, pattern, label = [], tag = {}, resourceClass }: Selector): {
  conditions: string[]
  args: SqlValue[]
} {
  const found: [condition: string, ...args: SqlValue[]][] = []
  const among = (what: string, values: readonly (string | number)[] | undefined): void => {
    if (values !== undefined) found.push([`${what} IN (SELECT value FROM json_each(?))`, JSON.stringify(values)])
  }
  among(
    'j.status',
    status?.map(word => STATUS[word]),
  )
  among('t.name', name)
  if (pattern !== undefined) found.push(['t.name GLOB ?', pattern])
  for (const one of label) found.push([`instr(',' || c.labels || ',', ',' || ? || ',') > 0`, one])
  for (const [key, value] of Object.entries(tag)) {
    found.push([
      `EXISTS (SELECT 1 FROM json_each(t.options, '$.tags') AS g WHERE g.key = ? AND g.value = ?)`,
      key,
      value,
    ])
  }
  if (resourceClass !== undefined) {
    const classes =
      'SELECT k.id FROM job_class AS k JOIN resource_requirements AS r ON r.id = k.resource_requirements_id WHERE r.name'
    found.push([`j.class_id IN (${classes} IN (SELECT value FROM json_each(?)))`, JSON.stringify(resourceClass)])
  }
  return { conditions: found.map(([condition]) => condition), args: found.flatMap(([, ...args]) => args) }
}
