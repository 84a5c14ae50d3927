import { type BulkChange, type LabelChange, relabel, type Selector, touches } from '../api/core/bulk-change.ts'
import { JOB_STATUSES, type JobStatus, STATUS, statusWord } from '../api/core/status.ts'
import { canceledEvent } from './cascade.ts'
import { CLEAR_CLAIM } from './claim-columns.ts'
import { recordUserAction } from './events.ts'
import { drainFrontier } from './frontier.ts'
import { addToFrontier } from './frontier-rows.ts'
import { refuseInitializing } from './initializing.ts'
import { classesFor, listClasses } from './job-classes.ts'
import { resetWithBelow, retryJobs } from './job-status.ts'
import { recount } from './recount.ts'
import { type SelectedJob, selectJobs } from './selected-jobs.ts'
import { appendEvents } from './stream-events.ts'
import { type Db, run, type Unit } from './unit.ts'

export type BulkRequest = { workflowId: number; selector: Selector; change: BulkChange; user: string }

/** How many jobs the selector names, by status, and how many of them change: or would, in a dry run. */
export type BulkOutcome = { matchedByStatus: Partial<Record<JobStatus, number>>; matched: number; changed: number }

/** Tells what a change would touch, and changes nothing. */
export async function countSelected(db: Db, { workflowId, selector, change }: BulkRequest): Promise<BulkOutcome> {
  const counts: Partial<Record<JobStatus, number>> = {}
  for (let after: number | null = 0; after !== null; ) {
    const from: number = after
    const { jobs, next } = await db.read(() => selectJobs(workflowId, selector, from))
    for (const { status } of jobs) counts[statusWord(status)] = (counts[statusWord(status)] ?? 0) + 1
    after = next
  }
  const matchedByStatus: BulkOutcome['matchedByStatus'] = {}
  for (const word of JOB_STATUSES) if (counts[word] !== undefined) matchedByStatus[word] = counts[word]
  const sum = (words: readonly JobStatus[]) => words.reduce((total, word) => total + (counts[word] ?? 0), 0)
  const touched = JOB_STATUSES.filter(word => touches(change.operation, word))
  return { matchedByStatus, matched: sum(JOB_STATUSES), changed: sum(touched) }
}

/**
 * Changes all jobs that a selector names, some thousands in one transaction: each job changes whole, with what follows from it below.
 * What a crash cuts short, the same request finishes. Throws BeingInitialized while the workflow's jobs are counted anew.
 */
export async function changeSelected(db: Db, request: BulkRequest, now: () => number): Promise<BulkOutcome> {
  const { workflowId, selector, change, user } = request
  const { matchedByStatus, matched } = await countSelected(db, request)
  let changed = 0
  for (let after: number | null = 0; after !== null && matched > 0; ) {
    const from: number = after
    const done = await db.write(function* () {
      yield* refuseInitializing(workflowId)
      const { jobs, next } = yield* selectJobs(workflowId, selector, from)
      const touched = jobs.filter(({ status }) => touches(change.operation, statusWord(status)))
      if (touched.length > 0) yield* apply(workflowId, change, touched, now())
      return { next, changed: touched.length }
    })
    changed += done.changed
    after = done.next
  }
  await drainFrontier(db, now)
  if (changed > 0) {
    const details = { operation: change.operation, selector, changed_count: changed }
    await db.write(() => recordUserAction(workflowId, now(), user, 'bulk_change', details))
  }
  return { matchedByStatus, matched, changed }
}

function* apply(workflowId: number, change: BulkChange, jobs: readonly SelectedJob[], now: number): Unit<void> {
  const ids = jobs.map(job => job.id)
  switch (change.operation) {
    case 'cancel':
      return yield* cancelJobs(workflowId, ids, now)
    case 'reset':
      return yield* resetWithBelow(ids)
    case 'retry':
      yield* retryJobs(ids, now)
      // One that waits for another of them, or for a job that was reset meanwhile, is blocked until that ends.
      return yield* recount(ids)
    case 'priority':
      return yield* run(
        'UPDATE job SET priority = ? WHERE id IN (SELECT value FROM json_each(?))',
        change.priority,
        JSON.stringify(ids),
      )
    case 'labels':
      return yield* relabelJobs(workflowId, jobs, change.labels)
  }
}

/** Ends jobs as canceled, whoever holds them; what hangs below hears of it from the frontier. */
export function* cancelJobs(workflowId: number, ids: readonly number[], now: number): Unit<void> {
  yield* run(
    `UPDATE job SET status = ${STATUS.canceled}, ${CLEAR_CLAIM}, ready_at = NULL, unfinished = 0
     WHERE id IN (SELECT value FROM json_each(?))`,
    JSON.stringify(ids),
  )
  yield* addToFrontier(
    workflowId,
    ids.map(jobId => ({ jobId, unsuccessful: true })),
  )
  yield* appendEvents(workflowId, now, ids.map(canceledEvent))
}

/** Moves jobs to the classes that their new labels make. */
function* relabelJobs(workflowId: number, jobs: readonly SelectedJob[], change: LabelChange): Unit<void> {
  const before = new Map((yield* listClasses(workflowId)).map(row => [row.id, row]))
  const byClass = new Map<number, number[]>()
  for (const { id, class_id } of jobs) {
    const ids = byClass.get(class_id)
    if (ids === undefined) byClass.set(class_id, [id])
    else ids.push(id)
  }
  const moves = [...byClass].map(([classId, ids]) => {
    const row = before.get(classId)!
    return { ids, key: { ...row, labels: relabel(row.labels, change) } }
  })
  const classOf = yield* classesFor(
    workflowId,
    moves.map(move => move.key),
  )
  for (const { ids, key } of moves) {
    yield* run(
      'UPDATE job SET class_id = ? WHERE id IN (SELECT value FROM json_each(?))',
      classOf(key),
      JSON.stringify(ids),
    )
  }
}
