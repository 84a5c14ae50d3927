import { JOB_STATUSES, STATUS } from '../api/core/status.ts'
import { PIPE_OVER } from './pipe-members.ts'
import { WAITING } from './recount.ts'
import { RESULT_ID_STEP } from './result-ids.ts'
import { all, type Unit } from './unit.ts'

/** Something that must never be: what is wrong, and the rows that show it as JSON, the first few of them. */
export type Problem = { what: string; rows: string[] }

type Rule = { what: string; sql: string }

/** Rows named per problem: enough to find the cause, few enough to read. */
const MOST_ROWS = 10

const COMPLETE = [STATUS.completed, STATUS.failed, STATUS.canceled, STATUS.terminated].join()
const HELD = [STATUS.pending, STATUS.running].join()

/** Invariant 1: a job has at most one live claim; a token is never reused; attempts only grow. */
const CLAIMS: readonly Rule[] = [
  {
    what: 'a claim token is held by two jobs',
    sql: 'SELECT claim_token, count(*) AS jobs FROM job WHERE claim_token IS NOT NULL GROUP BY claim_token HAVING count(*) > 1',
  },
  {
    what: 'a claim token of a lost attempt is held again',
    sql: 'SELECT j.id FROM lost_attempt l JOIN job j ON j.id = l.job_id AND j.claim_token = l.claim_token',
  },
  {
    what: 'a job is held although its status is not pending or running',
    sql: `SELECT id, status FROM job WHERE status NOT IN (${HELD}) AND (claim_token IS NOT NULL OR compute_node_id IS NOT NULL
      OR claimed_at IS NOT NULL OR lease_seconds IS NOT NULL OR lease_expires_at IS NOT NULL OR started_at IS NOT NULL)`,
  },
  {
    what: 'a leased claim lacks its token, node, time or end',
    sql: `SELECT id FROM job WHERE lease_seconds IS NOT NULL
      AND (claim_token IS NULL OR compute_node_id IS NULL OR claimed_at IS NULL OR lease_expires_at IS NULL)`,
  },
  {
    what: 'a lease ends before rescue would look at its node',
    sql: `SELECT j.id, j.lease_expires_at, n.expires_at FROM job j LEFT JOIN node_lease n ON n.compute_node_id = j.compute_node_id
      WHERE j.lease_expires_at IS NOT NULL AND (n.expires_at IS NULL OR n.expires_at > j.lease_expires_at)`,
  },
  {
    what: 'a job is held ahead, or waits out a pause, at a status where none is',
    sql: `SELECT id, status, is_held, waits_until FROM job
      WHERE is_held = 1 AND status <> ${STATUS.pending} OR waits_until IS NOT NULL AND status <> ${STATUS.ready}`,
  },
  {
    what: 'an attempt that ended is newer than its job',
    sql: `SELECT j.id, j.attempt_id, l.attempt_id AS lost FROM lost_attempt l JOIN job j ON j.id = l.job_id
      WHERE l.attempt_id > j.attempt_id OR (l.attempt_id = j.attempt_id AND j.status IN (${HELD}))`,
  },
  {
    what: 'a job has lost more attempts than it has begun',
    sql: `SELECT id, losses, attempt_id FROM job WHERE losses > attempt_id`,
  },
]

/** Invariant 3: a job is ready only when its unfinished count is 0; the count equals the rows it counts. */
const DEPENDENCIES: readonly Rule[] = [
  {
    what: 'a ready job has a count of unfinished dependencies',
    sql: `SELECT id, unfinished FROM job WHERE status = ${STATUS.ready} AND unfinished <> 0`,
  },
  {
    what: 'the counts of a blocked job differ from its dependencies',
    sql: `SELECT job.id, job.unfinished, waiting.unfinished AS unfinished_rows, job.unsuccessful, waiting.unsuccessful AS unsuccessful_rows
      FROM (${WAITING.replace('?1', `(SELECT json_group_array(id) FROM job WHERE status = ${STATUS.blocked})`)}) AS waiting
      JOIN job ON job.id = waiting.id JOIN workflow w ON w.id = job.workflow_id AND w.state = 'live'
      WHERE job.unfinished <> waiting.unfinished OR job.unsuccessful <> waiting.unsuccessful`,
  },
  {
    what: 'a job that is not complete has its end told to its dependants',
    sql: `SELECT f.job_id FROM frontier f LEFT JOIN job j ON j.id = f.job_id AND j.status IN (${COMPLETE}) WHERE j.id IS NULL`,
  },
  {
    what: 'a dependency joins two workflows',
    sql: 'SELECT e.* FROM job_edge e JOIN job a ON a.id = e.depends_on_job_id JOIN job b ON b.id = e.job_id WHERE a.workflow_id <> b.workflow_id',
  },
]

/** Invariant 7: the sum over statuses is the number of jobs, and equals the counters. */
const COUNTERS: readonly Rule[] = [
  {
    what: 'a counter differs from the jobs it counts',
    sql: `WITH counted AS (SELECT workflow_id, status, count(*) AS n FROM job GROUP BY workflow_id, status)
      SELECT c.workflow_id, c.status, c.n AS counter, ifnull(counted.n, 0) AS jobs FROM workflow_count c
      LEFT JOIN counted ON counted.workflow_id = c.workflow_id AND counted.status = c.status WHERE c.n <> ifnull(counted.n, 0)
      UNION ALL
      SELECT counted.workflow_id, counted.status, NULL, counted.n FROM counted
      LEFT JOIN workflow_count c ON c.workflow_id = counted.workflow_id AND c.status = counted.status WHERE c.n IS NULL`,
  },
  {
    what: 'a workflow lacks a counter',
    sql: `SELECT w.id, count(c.status) AS counters FROM workflow w LEFT JOIN workflow_count c ON c.workflow_id = w.id
      GROUP BY w.id HAVING count(c.status) <> ${JOB_STATUSES.length}`,
  },
]

/** Results stand beside their job, are numbered by it, and the latest is one that counts. */
const RESULTS: readonly Rule[] = [
  {
    what: 'a result is numbered beyond its job',
    sql: `SELECT r.id, r.job_id, j.results FROM result r JOIN job j ON j.id = r.job_id
      WHERE r.id NOT BETWEEN j.id * ${RESULT_ID_STEP} + 1 AND j.id * ${RESULT_ID_STEP} + j.results OR r.workflow_id <> j.workflow_id`,
  },
  {
    what: 'the latest result of a job is missing, superseded or of another job',
    sql: `SELECT j.id, j.latest_result_id FROM job j LEFT JOIN result r ON r.id = j.latest_result_id AND r.job_id = j.id AND r.superseded = 0
      WHERE j.latest_result_id IS NOT NULL AND r.id IS NULL`,
  },
  {
    what: 'an attempt has two results that count',
    sql: 'SELECT job_id, run_id, attempt_id, count(*) AS n FROM result WHERE superseded = 0 GROUP BY job_id, run_id, attempt_id HAVING count(*) > 1',
  },
]

/** Pipe runs: whose the members are, and who may have one. A run that failed or was canceled may have left some at work. */
const PIPES: readonly Rule[] = [
  {
    what: 'a job is a member of two pipe runs that are open',
    sql: `SELECT m.job_id, count(*) AS runs FROM pipe_member m JOIN pipe_run p ON p.id = m.pipe_run_id
      WHERE p.state NOT IN (${PIPE_OVER}) GROUP BY m.job_id HAVING count(*) > 1`,
  },
  {
    what: 'a member of a pipe run is of another workflow',
    sql: `SELECT m.pipe_run_id, m.job_id FROM pipe_member m JOIN pipe_run p ON p.id = m.pipe_run_id JOIN job j ON j.id = m.job_id
      WHERE j.workflow_id <> p.workflow_id`,
  },
  {
    what: 'a pipe run ended well although a runner of it holds a member',
    sql: `SELECT p.id, p.state, j.id AS job_id FROM pipe_run p JOIN pipe_runner r ON r.pipe_run_id = p.id
      JOIN job j ON j.compute_node_id = r.compute_node_id AND j.status IN (${HELD})
      JOIN pipe_member m ON m.pipe_run_id = p.id AND m.job_id = j.id WHERE p.state IN ('completed', 'partial')`,
  },
  {
    what: 'an array of a pipe run is submitted although nobody has acknowledged it',
    sql: `SELECT id FROM pipe_submission WHERE state = 'submitted' AND (scheduler_id IS NULL OR acknowledged_at IS NULL)`,
  },
]

/** Which column names a row of which table. */
const REFERENCES: readonly [table: string, column: string, target: string][] = [
  ['job', 'workflow_id', 'workflow'],
  ['job', 'class_id', 'job_class'],
  ['job', 'compute_node_id', 'compute_node'],
  ['job', 'id', 'job_text'],
  ['job_text', 'id', 'job'],
  ['job_text', 'failure_handler_id', 'failure_handler'],
  ['job_class', 'resource_requirements_id', 'resource_requirements'],
  ['job_edge', 'job_id', 'job'],
  ['job_edge', 'depends_on_job_id', 'job'],
  ['job_file', 'job_id', 'job'],
  ['job_file', 'file_id', 'file'],
  ['job_user_data', 'job_id', 'job'],
  ['job_user_data', 'user_data_id', 'user_data'],
  ['result', 'job_id', 'job'],
  ['lost_attempt', 'job_id', 'job'],
  ['retried_attempt', 'job_id', 'job'],
  ['frontier', 'job_id', 'job'],
  ['action_job', 'job_id', 'job'],
  ['action_job', 'action_id', 'action'],
  ['claim', 'workflow_id', 'workflow'],
  ['stream_event', 'workflow_id', 'workflow'],
  ['event', 'workflow_id', 'workflow'],
]

const ORPHANS: readonly Rule[] = REFERENCES.map(([table, column, target]) => ({
  what: `${table}.${column} names no row of ${target}`,
  sql: `SELECT a.${column} FROM ${table} a LEFT JOIN ${target} b ON b.id = a.${column} WHERE a.${column} IS NOT NULL AND b.id IS NULL`,
}))

const RULES: readonly Rule[] = [...CLAIMS, ...DEPENDENCIES, ...COUNTERS, ...RESULTS, ...PIPES, ...ORPHANS]

/**
 * Checks what must always hold between the rows (design.md, Invariants) and the file itself; an empty list when all is well. Only
 * reads. Looks at every row, so it takes seconds on a large database.
 */
export function* listProblems(): Unit<Problem[]> {
  const problems: Problem[] = []
  for (const { what, sql } of RULES) {
    const rows = yield* all<object>(`SELECT * FROM (${sql}) LIMIT ${MOST_ROWS}`)
    if (rows.length > 0) problems.push({ what, rows: rows.map(row => JSON.stringify(row)) })
  }
  for (const pragma of ['integrity_check', 'foreign_key_check']) {
    const rows = yield* all<object>(`PRAGMA ${pragma}`)
    const bad = rows.map(row => JSON.stringify(row)).filter(text => text !== '{"integrity_check":"ok"}')
    if (bad.length > 0) problems.push({ what: `PRAGMA ${pragma} finds damage`, rows: bad.slice(0, MOST_ROWS) })
  }
  return problems
}
