import type { Unit } from '../../db/unit.ts'
import { insertWorkflow } from '../../db/workflows.ts'
import type { RecordOf } from '../contract/export.ts'
import { AppError } from '../errors.ts'
import { jsonText, storedFlag } from './reply.ts'
import { newWorkflowValues } from './workflows.ts'

/** New ids by the ids of the document. */
export type Ids = Map<number, number>

/** A workflow that is being imported: nobody sees it yet. */
export type Import = {
  workflowId: number
  /** Begins anew: without results, statuses and attempts of the old one. */
  fresh: boolean
  now: number
  /** The new ids of the jobs in their order, and the positions of the ids of the document. */
  jobs: number[]
  positions: Map<number, number>
  /** Dependencies by the ids of the document, since a job may stand before what it waits for. */
  edges: { from: number[]; to: number[] }
  latestResults: Map<number, number>
  requirements: Ids
  handlers: Ids
  schedulers: Ids
  files: Ids
  userData: Ids
  nodes: Ids
}

export type ImportOptions = { fresh: boolean; name: string | undefined; user: string; now: number }

/** Stores the hidden workflow that the records of the document then fill. */
export function* beginImport(record: RecordOf<'workflow'>, { fresh, name, user, now }: ImportOptions): Unit<Import> {
  const row = yield* insertWorkflow({
    ...newWorkflowValues(record, now),
    name: name ?? record.name,
    user,
    state: 'creating',
    state_since: now,
    loss_budget: record.loss_budget ?? undefined,
    options: jsonText(record.options),
    ...(fresh
      ? {}
      : {
          run_id: record.run_id ?? undefined,
          is_canceled: storedFlag(record.is_canceled),
          is_archived: storedFlag(record.is_archived),
        }),
  })
  return {
    workflowId: row.id,
    fresh,
    now,
    jobs: [],
    positions: new Map(),
    edges: { from: [], to: [] },
    latestResults: new Map(),
    requirements: new Map(),
    handlers: new Map(),
    schedulers: new Map(),
    files: new Map(),
    userData: new Map(),
    nodes: new Map(),
  }
}

/** Notes which new rows the records have become. */
export function remember(ids: Ids, records: readonly { id: number }[], rows: readonly { id: number }[]): void {
  records.forEach((record, k) => {
    ids.set(record.id, rows[k]!.id)
  })
}

/** The new id of what a record names; 422 when nothing of that id has come before. */
export function need(ids: Ids, id: number, field: string, line: number): number {
  const found = ids.get(id)
  if (found !== undefined) return found
  throw new AppError('invalid', `Cannot import the lines from ${line} on as ${field} names nothing: ${id}`, {
    field,
    value: id,
    line,
  })
}

export const needJob = (target: Import, id: number, line: number): number =>
  target.jobs[need(target.positions, id, 'job_id', line)]!

export const doubled = (what: string, id: number, line: number): AppError =>
  new AppError(
    'invalid',
    `Cannot import the lines from ${line} on as the id of a ${what} is there twice or none: ${id}`,
    {
      field: 'id',
      value: id,
      line,
    },
  )
