import { all, one, run, type Unit } from './unit.ts'

export type RemoteWorkerRow = { worker: string; workflow_id: number }

export function* listRemoteWorkers(workflowId: number): Unit<RemoteWorkerRow[]> {
  return yield* all<RemoteWorkerRow>(
    'SELECT worker, workflow_id FROM remote_worker WHERE workflow_id = ? ORDER BY worker',
    workflowId,
  )
}

/** Stores workers; those that are known stay as they are. */
export function* insertRemoteWorkers(workflowId: number, workers: readonly string[]): Unit<void> {
  yield* run(
    'INSERT OR IGNORE INTO remote_worker (workflow_id, worker) SELECT ?, value FROM json_each(?)',
    workflowId,
    JSON.stringify(workers),
  )
}

/** Removes a worker; undefined when there is none of this name. */
export function* deleteRemoteWorker(workflowId: number, worker: string): Unit<RemoteWorkerRow | undefined> {
  return yield* one<RemoteWorkerRow>(
    'DELETE FROM remote_worker WHERE workflow_id = ? AND worker = ? RETURNING worker, workflow_id',
    workflowId,
    worker,
  )
}
