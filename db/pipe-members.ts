import { PIPE_STATES_OVER } from '../api/core/pipe/state.ts'
import { STATUS, type StatusNumber } from '../api/core/status.ts'
import { all, one, type Unit } from './unit.ts'

/** For IN: the states of a run that has ended. */
export const PIPE_OVER = PIPE_STATES_OVER.map(state => `'${state}'`).join()

/** For IN: the statuses of a job that has been initialised and has not ended. */
export const OPEN = [STATUS.blocked, STATUS.ready, STATUS.pending, STATUS.running, STATUS.pending_failed].join()

/** For a WHERE of `job`: a runner of a pipe run gets members of that run only, and none once the run is over. Others get any job. */
export const openToPipe = (node: string, job = 'job'): string =>
  `NOT EXISTS (SELECT 1 FROM pipe_runner AS pr JOIN pipe_run AS p ON p.id = pr.pipe_run_id WHERE pr.compute_node_id = ${node}
    AND (p.state IN (${PIPE_OVER})
      OR NOT EXISTS (SELECT 1 FROM pipe_member AS m WHERE m.pipe_run_id = p.id AND m.job_id = ${job}.id)))`

/** What an element offers to jobs; members that need more, as after running out of memory, are none of its. */
export type ElementOffer = { cores: number; memoryBytes: number; gpus: number; runtimeSeconds: number }

export type MemberCount = {
  status: StatusNumber
  n: number
  /** Of the ready ones: nobody has ever had it. */
  isFresh: boolean
  /** Of the ready ones: it waits out a pause. */
  waits: boolean
  fits: boolean
}

/** Counts the members of a run by all that decides about them. */
export function* countPipeMembers(pipeRunId: number, offer: ElementOffer): Unit<MemberCount[]> {
  const rows = yield* all<{ status: StatusNumber; n: number; fresh: number; waits: number; fits: number }>(
    `SELECT j.status, count(*) AS n, j.status = ${STATUS.ready} AND j.attempt_id = 1 AND j.fence = 0 AS fresh,
       j.waits_until IS NOT NULL AS waits,
       r.num_cpus <= ?2 AND r.memory_bytes <= ?3 AND r.num_gpus <= ?4 AND r.runtime_seconds <= ?5 AS fits
     FROM pipe_member AS m JOIN job AS j ON j.id = m.job_id JOIN job_class AS c ON c.id = j.class_id
       JOIN resource_requirements AS r ON r.id = c.resource_requirements_id
     WHERE m.pipe_run_id = ?1 GROUP BY j.status, fresh, waits, fits`,
    pipeRunId,
    offer.cores,
    offer.memoryBytes,
    offer.gpus,
    offer.runtimeSeconds,
  )
  return rows.map(({ status, n, fresh, waits, fits }) => ({
    status,
    n,
    isFresh: fresh === 1,
    waits: waits === 1,
    fits: fits === 1,
  }))
}

/** When the first member that waits out a pause may be tried again. */
export function* nextMemberRetryAt(pipeRunId: number): Unit<number | undefined> {
  const row = yield* one<{ at: number | null }>(
    'SELECT min(j.waits_until) AS at FROM pipe_member AS m JOIN job AS j ON j.id = m.job_id WHERE m.pipe_run_id = ?',
    pipeRunId,
  )
  return row?.at ?? undefined
}

export type MemberRow = {
  job_id: number
  name: string
  status: StatusNumber
  attempt_id: number
  command: string
  invocation_script: string | null
  env: string | null
  family: string
  tags: string | null
}

/** Lists members behind a job id, in the order of their ids. */
export function* listPipeMembers(pipeRunId: number, after: number, limit: number): Unit<MemberRow[]> {
  return yield* all<MemberRow>(
    `SELECT j.id AS job_id, t.name, j.status, j.attempt_id, t.command, t.invocation_script, t.env,
       ifnull(t.options ->> '$.family', r.name) AS family, t.options -> '$.tags' AS tags
     FROM pipe_member AS m JOIN job AS j ON j.id = m.job_id JOIN job_text AS t ON t.id = j.id
       JOIN job_class AS c ON c.id = j.class_id JOIN resource_requirements AS r ON r.id = c.resource_requirements_id
     WHERE m.pipe_run_id = ? AND m.job_id > ? ORDER BY m.job_id LIMIT ?`,
    pipeRunId,
    after,
    limit,
  )
}

/** The members of a run that have not ended. */
export function* openMemberIds(pipeRunId: number): Unit<number[]> {
  const rows = yield* all<{ id: number }>(
    `SELECT j.id FROM pipe_member AS m JOIN job AS j ON j.id = m.job_id
     WHERE m.pipe_run_id = ? AND j.status IN (${OPEN})`,
    pipeRunId,
  )
  return rows.map(row => row.id)
}
