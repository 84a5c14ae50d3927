import { LEASE_SECONDS } from '../api/core/leases.ts'
import { one, run, type Unit } from './unit.ts'

/** One element of an array, as its runner says. */
export type PipeRunner = { computeNodeId: number; pipeRunId: number; worker: number; submission: string | undefined }

/** Binds a compute node to a run: from then on it gets members of it only. Doing it again changes nothing but the moment it was heard. */
export function* bindPipeRunner({ computeNodeId, pipeRunId, worker, submission }: PipeRunner, now: number): Unit<void> {
  yield* run(
    `INSERT INTO pipe_runner (compute_node_id, pipe_run_id, worker, submission, heard_at) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET heard_at = excluded.heard_at`,
    computeNodeId,
    pipeRunId,
    worker,
    submission ?? null,
    now,
  )
}

export function* isBoundTo(computeNodeId: number, pipeRunId: number): Unit<boolean> {
  const found = yield* one(
    'SELECT 1 FROM pipe_runner WHERE compute_node_id = ? AND pipe_run_id = ?',
    computeNodeId,
    pipeRunId,
  )
  return found !== undefined
}

/** Notes that a runner was heard. */
export function* hearPipeRunner(computeNodeId: number, pipeRunId: number, now: number): Unit<void> {
  yield* run(
    'UPDATE pipe_runner SET heard_at = max(heard_at, ?) WHERE compute_node_id = ? AND pipe_run_id = ?',
    now,
    computeNodeId,
    pipeRunId,
  )
}

/** Runners of a run that were heard within its lease and have not said goodbye. Job leases that still hold are a sign of life, too. */
export function* countLiveRunners(pipeRunId: number, now: number): Unit<number> {
  const row = yield* one<{ n: number }>(
    `SELECT count(*) AS n FROM pipe_runner AS pr JOIN compute_node AS n ON n.id = pr.compute_node_id AND n.is_active = 1
       JOIN pipe_run AS r ON r.id = pr.pipe_run_id LEFT JOIN node_lease AS l ON l.compute_node_id = n.id
     WHERE pr.pipe_run_id = ?1 AND (l.expires_at > ?2
       OR pr.heard_at > ?2 - coalesce(json_extract(r.spec, '$.lease_seconds'), ${LEASE_SECONDS}) * 1000)`,
    pipeRunId,
    now,
  )
  return row!.n
}
