import { listActions } from '../../db/actions.ts'
import { listComputeNodes } from '../../db/compute-nodes.ts'
import { listEvents } from '../../db/events.ts'
import { listFailureHandlers } from '../../db/failure-handlers.ts'
import { listFiles } from '../../db/files.ts'
import { linksOf } from '../../db/job-links.ts'
import { listJobs } from '../../db/jobs.ts'
import type { ListRequest, Page } from '../../db/list.ts'
import { listLocalSchedulers } from '../../db/local-schedulers.ts'
import { listRemoteWorkers } from '../../db/remote-workers.ts'
import { listRequirements } from '../../db/resource-requirements.ts'
import { latestResultsOf, listResults } from '../../db/results.ts'
import { listRoCrateEntities } from '../../db/ro-crate-entities.ts'
import { listSlurmSchedulers } from '../../db/slurm-schedulers.ts'
import { listSlurmStats } from '../../db/slurm-stats.ts'
import type { Db, Unit } from '../../db/unit.ts'
import { listUserData } from '../../db/user-data.ts'
import type { WorkflowRow } from '../../db/workflows.ts'
import type { Services } from '../context.ts'
import { EXPORT_FORMAT, type RecordKind } from '../contract/export.ts'
import { AS_STORED } from '../dialect.ts'
import { reply as actionReply } from './actions.ts'
import { reply as computeNodeReply } from './compute-nodes.ts'
import { reply as eventReply } from './events.ts'
import { reply as fileReply } from './files.ts'
import { jobReply } from './job-reply.ts'
import { reply as localSchedulerReply } from './local-schedulers.ts'
import { compact } from './reply.ts'
import { reply as requirementsReply } from './resource-requirements.ts'
import { reply as resultReply } from './results.ts'
import { reply as roCrateReply } from './ro-crate-entities.ts'
import { reply as slurmSchedulerReply } from './slurm-schedulers.ts'
import { reply as slurmStatsReply } from './slurm-stats.ts'
import { reply as userDataReply } from './user-data.ts'
import { workflowReply } from './workflow-reply.ts'

/** Rows read at once: other requests are served between two pages. */
const PAGE = 1_000

type Options = { results: boolean; events: boolean }
type Line = { kind: RecordKind }

/**
 * Gives a workflow line by line (api/contract/export.ts). It is read page by page, not at one moment: jobs that change meanwhile stand as
 * they were when their page was read.
 */
export async function* exportRecords(
  { db, clock, version }: Services,
  workflow: WorkflowRow,
  { results, events }: Options,
): AsyncGenerator<Line> {
  const { id } = workflow
  const filter = { workflow_id: id }
  yield line('export', {
    format: EXPORT_FORMAT,
    program: `headrace ${version}`,
    exported_at: new Date(clock()).toISOString(),
  })
  yield line('workflow', workflowReply(workflow, AS_STORED))
  yield* lines(db, 'resource_requirements', request => listRequirements(filter, request), requirementsReply)
  yield* lines(
    db,
    'failure_handler',
    request => listFailureHandlers(id, request),
    row => row,
  )
  yield* lines(db, 'slurm_scheduler', request => listSlurmSchedulers(filter, request), slurmSchedulerReply)
  yield* lines(db, 'local_scheduler', request => listLocalSchedulers(filter, request), localSchedulerReply)
  yield* lines(db, 'file', request => listFiles(filter, request), fileReply)
  yield* lines(db, 'user_data', request => listUserData(filter, request), userDataReply)
  let jobs = 0
  for await (const job of lines(
    db,
    'job',
    request => listWholeJobs(id, request),
    row => row,
  )) {
    jobs++
    yield job
  }
  for (const row of await db.read(() => listActions(id))) yield line('action', actionReply(row))
  if (results) {
    yield* lines(db, 'compute_node', request => listComputeNodes(filter, request), computeNodeReply)
    yield* lines(db, 'result', request => listResults({ ...filter, all_runs: true }, request), resultReply)
  }
  yield* lines(
    db,
    'ro_crate_entity',
    request => listRoCrateEntities(filter, request),
    row => roCrateReply(row, AS_STORED),
  )
  if (results) yield* lines(db, 'slurm_stats', request => listSlurmStats(filter, request), slurmStatsReply)
  for (const { worker } of await db.read(() => listRemoteWorkers(id))) yield line('remote_worker', { worker })
  if (events) yield* lines(db, 'event', request => listEvents(filter, request), eventReply)
  yield line('end', { jobs })
}

const line = (kind: RecordKind, fields: object): Line => ({ kind, ...fields })

/** All rows of a list, page by page. */
async function* lines<Row>(
  db: Db,
  kind: RecordKind,
  list: (request: ListRequest) => Unit<Page<Row>>,
  reply: (row: Row) => object,
): AsyncGenerator<Line> {
  for (let after: readonly number[] | null = []; after !== null; ) {
    const request: ListRequest = { offset: 0, limit: PAGE, keyset: { after, count: false } }
    const page: Page<Row> = await db.read(() => list(request))
    for (const row of page.rows) yield line(kind, reply(row))
    after = page.keyset?.next ?? null
  }
}

function* listWholeJobs(workflowId: number, request: ListRequest): Unit<Page<object>> {
  const page = yield* listJobs({ workflow_id: workflowId }, request)
  const ids = page.rows.map(row => row.id)
  const links = yield* linksOf(ids)
  const latest = yield* latestResultsOf(ids)
  const rows = page.rows.map(row => ({
    ...jobReply(row, links.get(row.id)),
    ...compact({ latest_result_id: latest.get(row.id) }),
  }))
  return { ...page, rows }
}
