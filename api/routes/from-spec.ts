import { Hono } from 'hono'
import { createWorkflow, findBySource, type Origin } from '../../db/create-workflow.ts'
import { listOversized } from '../../db/oversized.ts'
import { startOnce } from '../../db/start-once.ts'
import type { Unit } from '../../db/unit.ts'
import { findNamedGroups, linkGroups } from '../access-group-names.ts'
import { ownerOfNew, projectOf } from '../access-rules.ts'
import { readBody, readText, refuseUnstorable } from '../body.ts'
import type { AppEnv, AppRequest, Services } from '../context.ts'
import { badLink } from '../contract/expansion.ts'
import { fromExpansion } from '../contract/from-expansion.ts'
import { findCycle } from '../core/expansion-cycle.ts'
import { formatDiagnostic } from '../core/spec/report.ts'
import type { ExpandedWorkflow } from '../core/spec/types.ts'
import { AppError } from '../errors.ts'
import { makeOnce, markRepeated, requestKey } from '../idempotency.ts'
import { pathInteger, readQuery } from '../query.ts'
import { needWorkflow } from './guards.ts'

type Wanted = {
  workflow: ExpandedWorkflow
  origin: Omit<Origin, 'now'>
  start: boolean
  body: (workflowId: number) => { workflow_id: number }
}

/** Escapes of characters by number, in YAML, JSON5 and KDL: nothing else gives a text that no database can hold. */
const MAY_HOLD_UNSTORABLE = /\\[0xuU]/

/** Whole workflows in one request, from a workflow file or from what the command line has expanded. */
export function fromSpecRoutes(services: Services): Hono<AppEnv> {
  const { db, clock } = services
  const routes = new Hono<AppEnv>()

  /** Makes the workflow once per Idempotency-Key and answers with `body`, and starts it where that is asked for. */
  async function answer(c: AppRequest, { workflow, origin, start, body }: Wanted): Promise<Response> {
    const now = clock()
    const key = await requestKey(c)
    const project = projectOf(c.var, workflow.project)
    const groups = () => findNamedGroups(workflow.accessGroups, c.var.subject)
    // A large workflow is not made for nothing; what counts is the look in the transaction that shows it.
    await db.read(groups)
    const make = (settle?: (workflowId: number) => Unit<void>) =>
      createWorkflow(db, { ...workflow, project }, { ...origin, now }, function* (id) {
        yield* linkGroups(id, yield* groups(), now)
        if (settle !== undefined) yield* settle(id)
      })
    const done = await makeOnce(services, key, make, body)
    // A repeated request finds a workflow that runs already, or one that a crash has left before its start.
    if (start) await startOnce(db, done.body.workflow_id, { now: clock(), user: origin.user })
    markRepeated(c, done)
    return c.json(done.body)
  }

  routes.post('/workflows/from_spec', async c => {
    const { start = false, file_name = 'workflow' } = readQuery(c, { start: 'boolean', file_name: 'text' })
    const { loadSpec } = await import('../spec/load.ts')
    // Files of the server are none of the sender's business: lists and tables from files are expanded by the command line.
    const nothing = () => undefined
    const text = await readText(c)
    const { workflow, diagnostics } = await loadSpec(text, {
      fileName: file_name,
      readText: nothing,
      mtime: nothing,
      caller: c.var.user,
    })
    if (workflow === undefined) {
      const errors = diagnostics.filter(found => found.severity === 'error')
      throw new AppError('invalid', errors.map(formatDiagnostic).join('\n'), { diagnostics })
    }
    if (MAY_HOLD_UNSTORABLE.test(text)) refuseUnstorable(JSON.stringify(workflow))
    const warnings = diagnostics.map(formatDiagnostic)
    const body = (workflow_id: number) => ({ workflow_id, job_count: workflow.jobs.length, warnings })
    return answer(c, { workflow, origin: { user: c.var.user }, start, body })
  })

  routes.post('/workflows/from_expansion', async c => {
    const { start = false } = readQuery(c, { start: 'boolean' })
    const body = await readBody(c, fromExpansion)
    const workflow = body.workflow as ExpandedWorkflow
    const bad = badLink(workflow)
    if (bad !== undefined)
      throw new AppError('invalid', `Cannot create the workflow as ${bad} points outside its list`, { field: bad })
    refuseCycle(workflow)
    const origin = {
      user: ownerOfNew(c.var, body.user),
      submissionDirectory: body.submission_directory ?? undefined,
      sourcePath: body.source_path ?? undefined,
      sourceHash: body.source_hash ?? undefined,
    }
    const reply = (workflow_id: number) => ({ workflow_id, job_count: workflow.jobs.length })
    return answer(c, { workflow, origin, start, body: reply })
  })

  routes.get('/workflow_sources', async c => {
    const { path } = readQuery(c, { path: 'text!' })
    const found = await db.read(() => findBySource(path, c.var.subject))
    const items = found === undefined ? [] : [{ workflow_id: found.id, source_hash: found.source_hash }]
    return c.json({ items, count: items.length })
  })

  routes.get('/workflows/:id/oversized_jobs', async c => {
    const id = pathInteger(c, 'id')
    const query = readQuery(c, {
      num_cpus: 'integer!',
      memory_bytes: 'integer!',
      num_gpus: 'integer!',
      num_nodes: 'integer',
      limit: 'integer',
    })
    const node = {
      cpus: query.num_cpus,
      memoryBytes: query.memory_bytes,
      gpus: query.num_gpus,
      nodes: query.num_nodes ?? 1,
    }
    const rows = await db.read(function* () {
      yield* needWorkflow(id)
      return yield* listOversized(id, node, query.limit ?? 100)
    })
    const items = rows.map(row => ({ job_id: row.job_id, name: row.name, reason: reasonOf(row, node) }))
    return c.json({ items, count: items.length })
  })
  return routes
}

/** Before anything is written: a workflow whose jobs wait for each other can never run. */
function refuseCycle(workflow: ExpandedWorkflow): void {
  const cycle = findCycle(workflow)?.map(job => workflow.jobs[job]!.name)
  if (cycle === undefined) return
  const names = [...cycle, cycle[0]].join(' -> ')
  throw new AppError('invalid', `Cannot create the workflow as its jobs wait for each other: ${names}`, {
    field: 'workflow.jobs',
    cycle,
  })
}

type Row = { num_cpus: number; memory: string; memory_bytes: number; num_gpus: number; num_nodes: number }

function reasonOf(row: Row, node: { cpus: number; memoryBytes: number; gpus: number }): string {
  if (row.num_cpus > node.cpus) return `it needs ${row.num_cpus} CPUs, the node has ${node.cpus}`
  if (row.memory_bytes > node.memoryBytes)
    return `it needs ${row.memory} of memory, the node has ${Math.floor(node.memoryBytes / 2 ** 20)}m`
  if (row.num_gpus > node.gpus) return `it needs ${row.num_gpus} GPUs, the node has ${node.gpus}`
  return `it needs ${row.num_nodes} nodes`
}
