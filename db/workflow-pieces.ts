import { jobOptions } from '../api/core/spec/options.ts'
import type { ExpandedJob, ExpandedWorkflow } from '../api/core/spec/types.ts'
import { optionsText } from './options-text.ts'
import { reserveIds } from './reserve-ids.ts'
import { insertRows } from './rows.ts'
import { run, type SqlValue, type Unit } from './unit.ts'

/** Rows written in one transaction while a large workflow is made, so that none lasts longer than about 100 ms. */
export const CHUNK = 5_000

/** Where the rows of each list begin: the item at index i has the id `first + i`. */
export type Ids = {
  workflow: number
  jobs: number
  files: number
  userData: number
  requirements: number
  handlers: number
  schedulers: number
  actions: number
}

/** How many rows the long lists of a workflow come to. */
export function countRows({ jobs, files, userData }: ExpandedWorkflow): number {
  let rows = files.length + userData.length + jobs.length
  for (const job of jobs) for (const links of LINKS) rows += job[links.field].length
  return rows
}

/** The long lists, cut into pieces of one transaction each. */
export function* listPieces(workflow: ExpandedWorkflow, classes: JobClasses, ids: Ids): Generator<() => Unit<void>> {
  const { files, userData, jobs } = workflow
  for (const [from, to] of ranges(files.length)) yield () => insertFiles(ids, workflow, from, to)
  for (const [from, to] of ranges(userData.length)) yield () => insertUserData(ids, workflow, from, to)
  for (const [from, to] of ranges(jobs.length)) yield () => insertJobs(ids, workflow, classes, from, to)
  for (const { field, table, columns, row } of LINKS) {
    // A link given twice counts once.
    for (const rows of inChunks(linkRows(jobs, field, (job, link) => row(ids, job, link))))
      yield () => insertRows(table, columns, rows, 'OR IGNORE')
  }
}

function* ranges(length: number): Generator<[number, number]> {
  for (let from = 0; from < length; from += CHUNK) yield [from, Math.min(from + CHUNK, length)]
}

function* inChunks<T>(items: Iterable<T>): Generator<T[]> {
  let chunk: T[] = []
  for (const item of items) {
    chunk.push(item)
    if (chunk.length < CHUNK) continue
    yield chunk
    chunk = []
  }
  if (chunk.length > 0) yield chunk
}

type LinkField = 'dependsOn' | 'inputFiles' | 'outputFiles' | 'inputUserData' | 'outputUserData'
type Link = {
  field: LinkField
  table: string
  columns: string[]
  row(ids: Ids, job: number, linked: number): number[]
}

/** Where the lists of a job that name other things are stored. */
const LINKS: readonly Link[] = [
  {
    field: 'dependsOn',
    table: 'job_edge',
    columns: ['depends_on_job_id', 'job_id'],
    row: (ids, job, linked) => [ids.jobs + linked, ids.jobs + job],
  },
  ...(['inputFiles', 'outputFiles'] as const).map(
    (field, isOutput): Link => ({
      field,
      table: 'job_file',
      columns: ['job_id', 'is_output', 'file_id'],
      row: (ids, job, linked) => [ids.jobs + job, isOutput, ids.files + linked],
    }),
  ),
  ...(['inputUserData', 'outputUserData'] as const).map(
    (field, isOutput): Link => ({
      field,
      table: 'job_user_data',
      columns: ['job_id', 'is_output', 'user_data_id'],
      row: (ids, job, linked) => [ids.jobs + job, isOutput, ids.userData + linked],
    }),
  ),
]

function* linkRows(
  jobs: readonly ExpandedJob[],
  field: LinkField,
  row: (job: number, linked: number) => number[],
): Generator<number[]> {
  for (const [job, links] of jobs.entries()) for (const linked of links[field]) yield row(job, linked)
}

function* insertFiles(ids: Ids, { files }: ExpandedWorkflow, from: number, to: number): Unit<void> {
  const rows = files
    .slice(from, to)
    .map((file, k) => [
      ids.files + from + k,
      ids.workflow,
      file.name,
      file.path,
      file.stMtime ?? null,
      file.identifier ?? null,
    ])
  yield* insertRows('file', ['id', 'workflow_id', 'name', 'path', 'st_mtime', 'identifier'], rows)
}

function* insertUserData(ids: Ids, { userData }: ExpandedWorkflow, from: number, to: number): Unit<void> {
  const rows = userData
    .slice(from, to)
    .map((item, k) => [ids.userData + from + k, ids.workflow, item.name, Number(item.isEphemeral), item.data ?? null])
  yield* insertRows('user_data', ['id', 'workflow_id', 'name', 'is_ephemeral', 'data'], rows)
}

/** The classes of a workflow's jobs: one for each combination of requirements, scheduler and labels. */
export class JobClasses {
  readonly #keys = new Map<string, { requirements: number; scheduler: number | undefined; labels: string }>()
  readonly #ids = new Map<string, number>()

  constructor(workflow: ExpandedWorkflow) {
    for (const job of workflow.jobs) {
      const key = keyOf(job)
      if (!this.#keys.has(key)) {
        const requirements = job.resourceRequirements === undefined ? 0 : job.resourceRequirements + 1
        this.#keys.set(key, { requirements, scheduler: job.scheduler, labels: job.labels.join() })
      }
    }
  }

  *insert(ids: Ids): Unit<void> {
    let next = yield* reserveIds('job_class', this.#keys.size)
    const rows: SqlValue[][] = []
    for (const [key, { requirements, scheduler, labels }] of this.#keys) {
      this.#ids.set(key, next)
      rows.push([
        next++,
        ids.workflow,
        ids.requirements + requirements,
        scheduler === undefined ? null : ids.schedulers + scheduler,
        labels,
      ])
    }
    yield* insertRows('job_class', ['id', 'workflow_id', 'resource_requirements_id', 'scheduler_id', 'labels'], rows)
  }

  idOf(job: ExpandedJob): number {
    return this.#ids.get(keyOf(job))!
  }
}

const keyOf = (job: ExpandedJob): string =>
  `${job.resourceRequirements ?? ''} ${job.scheduler ?? ''} ${job.labels.join()}`

function* insertJobs(ids: Ids, workflow: ExpandedWorkflow, classes: JobClasses, from: number, to: number): Unit<void> {
  const hot: SqlValue[][] = []
  const text: SqlValue[][] = []
  const envTexts = new Map<object, string>()
  for (let index = from; index < to; index++) {
    const job = workflow.jobs[index]!
    const id = ids.jobs + index
    hot.push([id, ids.workflow, job.priority, classes.idOf(job), Number(job.cancelOnBlockingJobFailure)])
    text.push([
      id,
      job.name,
      job.command,
      job.invocationScript ?? null,
      envText(job.env, envTexts),
      job.failureHandler === undefined ? null : ids.handlers + job.failureHandler,
      optionsText(jobOptions(job, workflow)),
    ])
  }
  yield* insertRows('job', ['id', 'workflow_id', 'priority', 'class_id', 'cancel_on_failure'], hot)
  yield* insertRows(
    'job_text',
    ['id', 'name', 'command', 'invocation_script', 'env', 'failure_handler_id', 'options'],
    text,
  )
  yield* run('UPDATE workflow_count SET n = n + ? WHERE workflow_id = ? AND status = 0', to - from, ids.workflow)
}

/** Jobs mostly share one environment object: it is written as text once. */
function envText(env: Record<string, string> | undefined, texts: Map<object, string>): string | null {
  if (env === undefined) return null
  let text = texts.get(env)
  if (text === undefined) {
    text = JSON.stringify(env)
    texts.set(env, text)
  }
  return text
}
