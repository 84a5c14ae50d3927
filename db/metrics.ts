import { JOB_STATUSES, type JobStatus, STATUS } from '../api/core/status.ts'
import { together, type Unit } from './unit.ts'
import { VISIBLE } from './visible.ts'

export type DatabaseFacts = {
  jobs: Record<JobStatus, number>
  /** Jobs that runners hold under a lease. */
  leases: number
  /** Nodes whose earliest lease has lapsed and was not looked at since. */
  lapsedNodes: number
}

/** What a database tells of itself at a glance: sums of counters, and rows that an index has. */
export function* findDatabaseFacts(now: number): Unit<DatabaseFacts> {
  const [counts, leases, lapsed] = yield* together([
    {
      sql: `SELECT c.status, sum(c.n) AS n FROM workflow_count AS c JOIN workflow AS w ON w.id = c.workflow_id
            WHERE w.state IN (${VISIBLE}) GROUP BY c.status`,
      args: [],
    },
    {
      sql: `SELECT count(*) AS n FROM node_lease AS node JOIN job INDEXED BY job_held
            ON job.compute_node_id = node.compute_node_id AND job.lease_expires_at IS NOT NULL
            AND job.status IN (${STATUS.pending}, ${STATUS.running})`,
      args: [],
    },
    { sql: 'SELECT count(*) AS n FROM node_lease WHERE expires_at <= ?', args: [now] },
  ])
  const jobs = Object.fromEntries(JOB_STATUSES.map(word => [word, 0])) as Record<JobStatus, number>
  for (const { status, n } of counts as { status: number; n: number }[]) jobs[JOB_STATUSES[status]!] = n
  const number = (rows: { n: number }[] | undefined): number => rows?.[0]?.n ?? 0
  return { jobs, leases: number(leases), lapsedNodes: number(lapsed) }
}
