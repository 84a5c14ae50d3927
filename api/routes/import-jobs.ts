import {
  connectJobs,
  type ImportedResult,
  insertResults,
  type RestoredJob,
  restoreJobs,
} from '../../db/imported-jobs.ts'
import { insertJobs, type NewJobValues } from '../../db/insert-jobs.ts'
import { NONE } from '../../db/job-links.ts'
import { recount } from '../../db/recount.ts'
import { findRequirementsByName } from '../../db/resource-requirements.ts'
import type { Unit } from '../../db/unit.ts'
import type { RecordOf } from '../contract/export.ts'
import { topologicalOrder } from '../core/graph.ts'
import { STATUS } from '../core/status.ts'
import { AppError } from '../errors.ts'
import { doubled, type Ids, type Import, need, needJob } from './import-target.ts'
import { jsonText } from './reply.ts'

/** Stores jobs with the statuses and attempts they had; what they wait for follows once all of them are known. */
export function* storeJobs(target: Import, records: readonly RecordOf<'job'>[], line: number): Unit<void> {
  const standard = (yield* findRequirementsByName(target.workflowId, 'default'))!.id
  const among = (ids: Ids, given: number[] | null | undefined, field: string) =>
    given?.map(id => need(ids, id, field, line)) ?? NONE
  const values = records.map(
    (record): NewJobValues => ({
      name: record.name,
      command: record.command,
      invocation_script: record.invocation_script ?? null,
      env: jsonText(record.env) ?? null,
      priority: record.priority ?? 0,
      cancel_on_failure: record.cancel_on_blocking_job_failure ?? true,
      supports_termination: record.supports_termination ?? false,
      resource_requirements_id:
        record.resource_requirements_id == null
          ? standard
          : need(target.requirements, record.resource_requirements_id, 'resource_requirements_id', line),
      // A scheduler may have been deleted under its jobs, and they are bound to nothing then.
      scheduler_id: target.schedulers.get(record.scheduler_id ?? 0) ?? null,
      labels: record.labels?.join() ?? '',
      failure_handler_id: target.handlers.get(record.failure_handler_id ?? 0) ?? null,
      origin: target.fresh ? undefined : (record.origin ?? undefined),
      options: jsonText(record.options) ?? null,
      depends_on_job_ids: NONE,
      input_file_ids: among(target.files, record.input_file_ids, 'input_file_ids'),
      output_file_ids: among(target.files, record.output_file_ids, 'output_file_ids'),
      input_user_data_ids: among(target.userData, record.input_user_data_ids, 'input_user_data_ids'),
      output_user_data_ids: among(target.userData, record.output_user_data_ids, 'output_user_data_ids'),
    }),
  )
  const rows = yield* insertJobs(target.workflowId, values)
  const restored: RestoredJob[] = []
  records.forEach((record, k) => {
    const position = target.jobs.push(rows[k]!.id) - 1
    if (target.positions.has(record.id)) throw doubled('job', record.id, line)
    target.positions.set(record.id, position)
    for (const from of record.depends_on_job_ids ?? []) {
      target.edges.from.push(from)
      target.edges.to.push(position)
    }
    if (record.latest_result_id != null) target.latestResults.set(record.latest_result_id, rows[k]!.id)
    const status = STATUS[record.status ?? 'uninitialized']
    const attempt = record.attempt_id ?? 1
    if (target.fresh && status !== STATUS.disabled) return
    if (status !== STATUS.uninitialized || attempt !== 1) restored.push({ id: rows[k]!.id, status, attempt })
  })
  yield* restoreJobs(restored, target.now)
}

/** Stores results with their numbers. */
export function* storeResults(target: Import, records: readonly RecordOf<'result'>[], line: number): Unit<void> {
  const rows = records.map(
    (record): ImportedResult => ({
      ...record,
      formerId: record.id,
      job_id: needJob(target, record.job_id, line),
      attempt_id: record.attempt_id ?? 1,
      compute_node_id: target.nodes.get(record.compute_node_id ?? 0) ?? null,
      status: STATUS[record.status],
      superseded: Number(record.superseded ?? false),
      isLatest: target.latestResults.has(record.id),
    }),
  )
  const bad = yield* insertResults(target.workflowId, rows)
  if (bad !== undefined) throw doubled('result', bad, line)
}

/** Jobs connected or counted in one transaction. */
const STEP = 5_000

/** What is left once all records are stored, in short transactions: dependencies, and what waits for what. 422 on a circle. */
export function* finishImport(target: Import): Generator<() => Unit<void>> {
  const { jobs, edges, fresh } = target
  const from = edges.from.map(id => positionOf(target, id))
  const to = edges.to
  if (topologicalOrder({ size: jobs.length, from, to }).cycle !== undefined)
    throw new AppError('invalid', 'Cannot import the document as its jobs wait for each other', {
      field: 'depends_on_job_ids',
    })
  for (let at = 0; at < from.length; at += STEP) {
    const rows = from.slice(at, at + STEP).map((position, k) => [jobs[position]!, jobs[to[at + k]!]!] as const)
    yield () => connectJobs(rows)
  }
  if (fresh) return
  for (let at = 0; at < jobs.length; at += STEP) yield () => recount(jobs.slice(at, at + STEP))
}

function positionOf({ positions }: Import, id: number): number {
  const position = positions.get(id)
  if (position !== undefined) return position
  throw new AppError('invalid', `Cannot import the document as depends_on_job_ids names no job of it: ${id}`, {
    field: 'depends_on_job_ids',
    value: id,
  })
}
