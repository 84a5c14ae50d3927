import { initializedStatuses, markDownstream, type Order, topologicalOrder } from '../api/core/graph.ts'
import { STATUS } from '../api/core/status.ts'
import { resetActions } from './action-triggers.ts'
import { CLEAR_CLAIM } from './claim-columns.ts'
import { clearFrontier } from './frontier-rows.ts'
import { abandonInitializing, beginInitializing, endInitializing, refuseInitializing } from './initializing.ts'
import { findProgress, isUninitialized } from './progress.ts'
import { appendEvents } from './stream-events.ts'
import { all, type Db, one, run, type Unit } from './unit.ts'

/** Jobs looked at or changed in one transaction, and links of theirs: so many take less than about 100 ms. */
const JOBS = 5_000
const LINKS = 20_000

export type InitializeOptions = {
  onlyUninitialized: boolean
  now: number
  user?: string
  /** Changes nothing when some job has been initialized before: the look and the change are one transaction. */
  once?: boolean
}

/** Thrown when jobs wait for each other in a circle; `names` stand in waiting order. */
export class DependencyCycle extends Error {
  readonly names: string[]
  constructor(names: string[]) {
    super(`Cannot initialize the workflow as its jobs wait for each other: ${names.join(' -> ')} -> ${names[0]}`)
    this.names = names
  }
}

type Jobs = {
  workflowId: number
  ids: number[]
  position: Map<number, number>
  status: Uint8Array
  keep: Uint8Array
  before: Before
}
type Before = { unfinished: Int32Array; unsuccessful: Int32Array; hasResult: Uint8Array }
type Edges = { from: number[]; to: number[] }

/**
 * Makes a workflow ready to run: edges through files and user_data, one cycle check over all edges, then every job blocked or
 * ready (contract/notes.md 8.1). Nobody sees half of it: a large workflow hands out nothing until the last piece. Throws
 * DependencyCycle, and then nothing has changed, or BeingInitialized. False when the workflow does not exist, or has been started and
 * was to be `once` only.
 */
export async function initializeWorkflow(db: Db, workflowId: number, options: InitializeOptions): Promise<boolean> {
  const range = await db.read(() => jobRange(workflowId))
  if (range === undefined) return false
  if (range.n <= JOBS && range.links <= LINKS) return db.write(() => inOnePiece(workflowId, range, options))
  if (!(await db.write(() => beginPieces(workflowId, options)))) return false
  await initializeInPieces(db, workflowId, range, options)
  return true
}

/** Goes on where a crash cut an initialisation short. */
export async function finishInitializing(db: Db, workflowId: number, options: InitializeOptions): Promise<void> {
  const range = await db.read(() => jobRange(workflowId))
  if (range !== undefined) await initializeInPieces(db, workflowId, range, options)
}

/** The ids of a workflow's jobs lie between `first` and `last`, perhaps among others. */
type Range = { n: number; links: number; first: number; last: number }

function* jobRange(workflowId: number): Unit<Range | undefined> {
  const workflow = yield* one(`SELECT 1 FROM workflow WHERE id = ? AND state IN ('live', 'initializing')`, workflowId)
  if (workflow === undefined) return undefined
  const range = yield* one<{ n: number; first: number | null; last: number | null }>(
    'SELECT count(*) AS n, min(id) AS first, max(id) AS last FROM job WHERE workflow_id = ?',
    workflowId,
  )
  const { n, first, last } = { n: range!.n, first: range!.first ?? 0, last: range!.last ?? -1 }
  const found = yield* one<{ links: number }>(
    `SELECT (SELECT count(*) FROM job_edge INDEXED BY job_edge_by_job WHERE job_id BETWEEN ?1 AND ?2)
       + (SELECT count(*) FROM job_file WHERE job_id BETWEEN ?1 AND ?2)
       + (SELECT count(*) FROM job_user_data WHERE job_id BETWEEN ?1 AND ?2) AS links`,
    first,
    last,
  )
  return { n, links: found!.links, first, last }
}

/** Whether there is something to do. Throws BeingInitialized while somebody else does it. */
function* mayBegin(workflowId: number, { once = false }: InitializeOptions): Unit<boolean> {
  yield* refuseInitializing(workflowId)
  if (!once) return true
  const progress = yield* findProgress(workflowId)
  return progress !== undefined && isUninitialized(progress.counts)
}

function* beginPieces(workflowId: number, options: InitializeOptions): Unit<boolean> {
  if (!(yield* mayBegin(workflowId, options))) return false
  yield* beginInitializing(workflowId, options.onlyUninitialized ? 'reinitialize' : 'initialize', options.now)
  return true
}

function* inOnePiece(workflowId: number, range: Range, options: InitializeOptions): Unit<boolean> {
  if (!(yield* mayBegin(workflowId, options))) return false
  const jobs = toJobs(workflowId, yield* readJobs(workflowId, range.first, range.last, options.now))
  const edges = yield* readEdges(jobs, range.first, range.last)
  const { order } = yield* checkCycles(jobs, edges)
  yield* addImplicitEdges(workflowId, range.first, range.last)
  for (const piece of changes(jobs, edges, order, options)) yield* piece()
  yield* finish(workflowId, options)
  return true
}

async function initializeInPieces(db: Db, workflowId: number, range: Range, options: InitializeOptions): Promise<void> {
  try {
    const rows: JobRow[] = []
    // In pieces, since a server gives no more than 10 MB at once (platform.md 3.5).
    for (const [first, last] of pieces(range)) {
      for (const row of await db.read(() => readJobs(workflowId, first, last, options.now))) rows.push(row)
    }
    const jobs = toJobs(workflowId, rows)
    const edges: Edges = { from: [], to: [] }
    for (const [first, last] of pieces(range)) {
      const part = await db.read(() => readEdges(jobs, first, last))
      for (let k = 0; k < part.from.length; k++) {
        edges.from.push(part.from[k]!)
        edges.to.push(part.to[k]!)
      }
    }
    const { order } = await db.read(() => checkCycles(jobs, edges))
    for (const [first, last] of pieces(range)) await db.write(() => addImplicitEdges(workflowId, first, last))
    for (const piece of changes(jobs, edges, order, options)) await db.write(piece)
    await db.write(() => finish(workflowId, options))
  } catch (error) {
    const cycle = error instanceof DependencyCycle
    await db.write(() => (cycle ? endInitializing(workflowId) : abandonInitializing(workflowId)))
    throw error
  }
}

function* finish(workflowId: number, { onlyUninitialized, now, user }: InitializeOptions): Unit<void> {
  // All counts are new: what was left to tell of earlier ends is in them.
  yield* clearFrontier(workflowId)
  yield* resetActions(workflowId, onlyUninitialized)
  yield* endInitializing(workflowId)
  const type = onlyUninitialized ? 'workflow_reinitialized' : 'workflow_started'
  const data = { category: 'workflow', type, user: user ?? '', message: `Initialized workflow ${workflowId}` }
  yield* appendEvents(workflowId, now, [{ type, data }])
}

function pieces({ n, links, first, last }: Range): [number, number][] {
  const step = Math.max(1, Math.min(JOBS, Math.floor((n * LINKS) / Math.max(links, 1))))
  const found: [number, number][] = []
  for (let from = first; from <= last; from += step) found.push([from, Math.min(from + step - 1, last)])
  return found
}

/** Each consumer of a file or of user_data waits for each producer, but never for itself. */
const IMPLICIT = (['job_file', 'job_user_data'] as const).map(table => {
  const item = table === 'job_file' ? 'file_id' : 'user_data_id'
  return `SELECT producer.job_id AS depends_on_job_id, consumer.job_id AS job_id FROM ${table} consumer
    CROSS JOIN ${table} producer ON producer.${item} = consumer.${item} AND producer.is_output = 1 AND producer.job_id <> consumer.job_id
    CROSS JOIN job ON job.id = consumer.job_id AND job.workflow_id = ?1
    WHERE consumer.job_id BETWEEN ?2 AND ?3 AND consumer.is_output = 0`
})

function* addImplicitEdges(workflowId: number, first: number, last: number): Unit<void> {
  for (const select of IMPLICIT) {
    yield* run(`INSERT OR IGNORE INTO job_edge(depends_on_job_id, job_id) ${select}`, workflowId, first, last)
  }
}

type JobRow = {
  id: number
  status: number
  unfinished: number
  unsuccessful: number
  has_result: number
  leased: number
}

function* readJobs(workflowId: number, first: number, last: number, now: number): Unit<JobRow[]> {
  return yield* all<JobRow>(
    `SELECT id, status, unfinished, unsuccessful, latest_result_id IS NOT NULL AS has_result, lease_expires_at IS NOT NULL AND lease_expires_at > ? AS leased
     FROM job WHERE id BETWEEN ? AND ? AND workflow_id = ? ORDER BY id`,
    now,
    first,
    last,
    workflowId,
  )
}

function toJobs(workflowId: number, rows: readonly JobRow[]): Jobs {
  const ids = rows.map(row => row.id)
  return {
    workflowId,
    ids,
    position: new Map(ids.map((id, index) => [id, index])),
    status: Uint8Array.from(rows, row => row.status),
    keep: Uint8Array.from(rows, row => row.leased),
    before: {
      unfinished: Int32Array.from(rows, row => row.unfinished),
      unsuccessful: Int32Array.from(rows, row => row.unsuccessful),
      hasResult: Uint8Array.from(rows, row => row.has_result),
    },
  }
}

/**
 * The edges there are, and those that files and user_data make, of the jobs of an id range: each as it is stored. Jobs of other workflows
 * may be among them.
 */
export function* listEdges(
  workflowId: number,
  first: number,
  last: number,
): Unit<{ depends_on_job_id: number; job_id: number }[]> {
  return yield* all(
    `SELECT depends_on_job_id, job_id FROM job_edge INDEXED BY job_edge_by_job WHERE job_id BETWEEN ?2 AND ?3
     UNION ${IMPLICIT.join(' UNION ')}`,
    workflowId,
    first,
    last,
  )
}

/** The edges into the jobs of an id range, by position. */
function* readEdges(jobs: Jobs, first: number, last: number): Unit<Edges> {
  const rows = yield* listEdges(jobs.workflowId, first, last)
  const edges: Edges = { from: [], to: [] }
  for (const row of rows) {
    const from = jobs.position.get(row.depends_on_job_id)
    const to = jobs.position.get(row.job_id)
    // Ids of other workflows may lie in between.
    if (from === undefined || to === undefined) continue
    edges.from.push(from)
    edges.to.push(to)
  }
  return edges
}

function* checkCycles(jobs: Jobs, edges: Edges): Unit<Extract<Order, { cycle: undefined }>> {
  const sorted = topologicalOrder({ size: jobs.ids.length, ...edges })
  if (sorted.cycle === undefined) return sorted
  const ids = sorted.cycle.map(index => jobs.ids[index]!)
  const names = yield* all<{ name: string }>(
    'SELECT t.name FROM json_each(?) AS wanted CROSS JOIN job_text t ON t.id = wanted.value ORDER BY wanted.key',
    JSON.stringify(ids),
  )
  throw new DependencyCycle(names.map(row => row.name))
}

/** The statements that bring the jobs to their new statuses, in pieces of one short transaction each. */
function changes(jobs: Jobs, edges: Edges, order: Int32Array, options: InitializeOptions): (() => Unit<void>)[] {
  const graph = { size: jobs.ids.length, ...edges }
  const found: (() => Unit<void>)[] = []
  const before = jobs.status.slice()
  if (options.onlyUninitialized) {
    // Written first and as a whole: a repeat after a crash must still find who hangs below an uninitialized job.
    markDownstream(graph, order, before)
    const marked = jobs.ids.filter((_, index) => before[index] !== jobs.status[index] && jobs.keep[index] === 0)
    for (const ids of chunks(marked)) found.push(() => run(RESET, JSON.stringify(ids)))
  }
  const after = initializedStatuses(graph, order, before, {
    onlyUninitialized: options.onlyUninitialized,
    keep: jobs.keep,
  })

  const groups = new Map<string, number[]>()
  for (let index = 0; index < jobs.ids.length; index++) {
    const status = after.status[index]!
    const unfinished = after.unfinished[index]!
    const unsuccessful = after.unsuccessful[index]!
    const same =
      status === jobs.status[index] &&
      unfinished === jobs.before.unfinished[index] &&
      unsuccessful === jobs.before.unsuccessful[index] &&
      jobs.before.hasResult[index] === 0
    if (same || (status !== STATUS.ready && status !== STATUS.blocked)) continue
    const key = `${status} ${unfinished} ${unsuccessful}`
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [jobs.ids[index]!])
    else group.push(jobs.ids[index]!)
  }
  for (const [key, members] of groups) {
    const [status, unfinished, unsuccessful] = key.split(' ').map(Number) as [number, number, number]
    const readyAt = status === STATUS.ready ? options.now : null
    for (const ids of chunks(members)) {
      found.push(() => run(PLACE, status, unfinished, unsuccessful, readyAt, JSON.stringify(ids)))
    }
  }
  return found
}

function* chunks(ids: readonly number[]): Generator<number[]> {
  for (let at = 0; at < ids.length; at += JOBS) yield ids.slice(at, at + JOBS)
}

const RESET = `
  UPDATE job SET status = ${STATUS.uninitialized}, unfinished = 0, unsuccessful = 0, ready_at = NULL, ${CLEAR_CLAIM}
  WHERE id IN (SELECT value FROM json_each(?))`
/** A job that is to run again has no latest result any more; its stored results stay. */
const PLACE = `
  UPDATE job SET status = ?1, unfinished = ?2, unsuccessful = ?3, ready_at = ?4, latest_result_id = NULL, ${CLEAR_CLAIM}
  WHERE id IN (SELECT value FROM json_each(?5))`
