import { Hono } from 'hono'
import {
  type ComputeNodeRow,
  countHeldJobs,
  deleteComputeNode,
  deleteFreeComputeNodes,
  listComputeNodes,
  type NodeFacts,
  registerNode,
} from '../../db/compute-nodes.ts'
import { computeNode } from '../../db/schema.ts'
import { appendEvents } from '../../db/stream-events.ts'
import { updateRow } from '../../db/table.ts'
import { readBody } from '../body.ts'
import type { AppEnv, Services } from '../context.ts'
import { ComputeNodeChange, NewComputeNode } from '../contract/compute-node.ts'
import { COMPUTE_NODE_FILTERS as FILTERS } from '../contract/filters.ts'
import { AppError } from '../errors.ts'
import { createOnce } from '../idempotency.ts'
import { pathInteger } from '../query.ts'
import { needRow, needWorkflow } from './guards.ts'
import { answerList } from './lists.ts'
import { mountPlain } from './plain.ts'
import { compact, flag, jsonText, labelList, storedFlag, storedJson } from './reply.ts'

export const reply = (row: ComputeNodeRow) =>
  compact({
    ...row,
    is_active: flag(row.is_active),
    scheduler: storedJson(row.scheduler),
    labels: labelList(row.labels),
  })

/** The columns a body sets; what it does not say stays as it is. */
export const values = (body: ComputeNodeChange) => ({
  hostname: body.hostname ?? undefined,
  pid: body.pid ?? undefined,
  start_time: body.start_time ?? undefined,
  end_time: body.end_time ?? undefined,
  is_active: storedFlag(body.is_active),
  num_cpus: body.num_cpus ?? undefined,
  memory_gb: body.memory_gb ?? undefined,
  num_gpus: body.num_gpus ?? undefined,
  num_nodes: body.num_nodes ?? undefined,
  time_limit: body.time_limit ?? undefined,
  scheduler_config_id: body.scheduler_config_id ?? undefined,
  compute_node_type: body.compute_node_type ?? undefined,
  scheduler: jsonText(body.scheduler),
  duration_seconds: body.duration_seconds ?? undefined,
  sample_count: body.sample_count ?? undefined,
  peak_cpu_percent: body.peak_cpu_percent ?? undefined,
  avg_cpu_percent: body.avg_cpu_percent ?? undefined,
  peak_memory_bytes: body.peak_memory_bytes ?? undefined,
  avg_memory_bytes: body.avg_memory_bytes ?? undefined,
})

/** What a new node is registered with. */
export const nodeFacts = (body: Omit<NewComputeNode, 'workflow_id'>): NodeFacts => ({
  ...values(body),
  hostname: body.hostname,
  pid: body.pid,
  start_time: body.start_time,
  num_cpus: body.num_cpus,
  memory_gb: body.memory_gb,
  num_gpus: body.num_gpus,
  num_nodes: body.num_nodes,
  compute_node_type: body.compute_node_type,
  is_active: Number(body.is_active ?? true),
  labels: (body.labels ?? []).join(),
})

export function computeNodeRoutes(services: Services): Hono<AppEnv> {
  const { db, clock } = services
  const routes = new Hono<AppEnv>()

  routes.post('/compute_nodes', async c => {
    const body = await readBody(c, NewComputeNode)
    return createOnce(c, services, function* () {
      yield* needWorkflow(body.workflow_id)
      return reply(yield* registerNode(body.workflow_id, nodeFacts(body), clock()))
    })
  })

  routes.get('/compute_nodes', c => answerList(c, db, FILTERS, listComputeNodes, reply))

  routes.put('/compute_nodes/:id', async c => {
    const id = pathInteger(c, 'id')
    const body = await readBody(c, ComputeNodeChange)
    const row = await db.write(function* () {
      yield* needRow(computeNode, 'Compute node', id)
      const row = yield* updateRow(computeNode, id, values(body))
      if (body.is_active === false) {
        yield* appendEvents(row.workflow_id, clock(), [{ type: 'compute_node_stopped', data: stoppedData(row) }])
      }
      return row
    })
    return c.json(reply(row))
  })

  mountPlain(routes, services, {
    path: '/compute_nodes',
    noun: 'Compute node',
    table: computeNode,
    reply,
    *remove(row) {
      const held = yield* countHeldJobs(row.id)
      if (held > 0) throw new AppError('invalid', `Cannot delete compute node ${row.id} as it holds ${held} jobs`)
      yield* deleteComputeNode(row.id)
    },
    removeAll: deleteFreeComputeNodes,
  })
  return routes
}

/** The data of the stream's event (contract/notes.md 14.2). */
const stoppedData = (row: ComputeNodeRow) => ({
  compute_node_id: row.id,
  hostname: row.hostname,
  pid: row.pid,
  duration_seconds: row.duration_seconds,
  compute_node_type: row.compute_node_type,
})
