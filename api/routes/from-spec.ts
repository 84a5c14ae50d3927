import { Hono } from 'hono'
import * as v from 'valibot'
import { createWorkflow, findBySource, type Origin } from '../../db/create-workflow.ts'
import { initializeWorkflow } from '../../db/initialize.ts'
import { storeInputHashes } from '../../db/input-hashes.ts'
import { listOversized } from '../../db/oversized.ts'
import { readBody } from '../body.ts'
import type { AppEnv, Services } from '../context.ts'
import { badLink, expansionSchema } from '../contract/expansion.ts'
import { optional, text } from '../contract/fields.ts'
import { findCycle } from '../core/expansion-cycle.ts'
import { formatDiagnostic } from '../core/spec/report.ts'
import type { ExpandedWorkflow } from '../core/spec/types.ts'
import { AppError } from '../errors.ts'
import { pathInteger, readQuery } from '../query.ts'
import { needWorkflow } from './guards.ts'

const fromExpansion = v.object({
  workflow: expansionSchema,
  user: optional(text),
  submission_directory: optional(text),
  source_path: optional(text),
  source_hash: optional(text),
})

/** Whole workflows in one request, from a workflow file or from what the command line has expanded. */
export function fromSpecRoutes({ db, clock }: Services): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()

  async function create(workflow: ExpandedWorkflow, origin: Omit<Origin, 'now'>, start: boolean): Promise<number> {
    const id = await createWorkflow(db, workflow, { ...origin, now: clock() })
    if (start) {
      await initializeWorkflow(db, id, { onlyUninitialized: false, now: clock(), user: origin.user })
      await storeInputHashes(db, id)
    }
    return id
  }

  routes.post('/workflows/from_spec', async c => {
    const { start = false, file_name = 'workflow' } = readQuery(c, { start: 'boolean', file_name: 'text' })
    const { loadSpec } = await import('../spec/load.ts')
    // Files of the server are none of the sender's business: lists and tables from files are expanded by the command line.
    const nothing = () => undefined
    const { workflow, diagnostics } = await loadSpec(await c.req.text(), {
      fileName: file_name,
      readText: nothing,
      mtime: nothing,
      caller: c.var.user,
    })
    if (workflow === undefined) {
      const errors = diagnostics.filter(found => found.severity === 'error')
      throw new AppError('invalid', errors.map(formatDiagnostic).join('\n'), { diagnostics })
    }
    const id = await create(workflow, { user: c.var.user }, start)
    return c.json({ workflow_id: id, job_count: workflow.jobs.length, warnings: diagnostics.map(formatDiagnostic) })
  })

  routes.post('/workflows/from_expansion', async c => {
    const { start = false } = readQuery(c, { start: 'boolean' })
    const body = await readBody(c, fromExpansion)
    const workflow = body.workflow as ExpandedWorkflow
    const bad = badLink(workflow)
    if (bad !== undefined)
      throw new AppError('invalid', `Cannot create the workflow as ${bad} points outside its list`, { field: bad })
    refuseCycle(workflow)
    const id = await create(
      workflow,
      {
        user: body.user ?? c.var.user,
        submissionDirectory: body.submission_directory ?? undefined,
        sourcePath: body.source_path ?? undefined,
        sourceHash: body.source_hash ?? undefined,
      },
      start,
    )
    return c.json({ workflow_id: id, job_count: workflow.jobs.length })
  })

  routes.get('/workflow_sources', async c => {
    const { path } = readQuery(c, { path: 'text!' })
    const found = await db.read(() => findBySource(path))
    const items = found === undefined ? [] : [{ workflow_id: found.id, source_hash: found.source_hash }]
    return c.json({ items, count: items.length })
  })

  routes.get('/workflows/:id/oversized_jobs', async c => {
    const id = pathInteger(c, 'id')
    const query = readQuery(c, {
      num_cpus: 'integer!',
      memory_bytes: 'integer!',
      num_gpus: 'integer!',
      limit: 'integer',
    })
    const node = { cpus: query.num_cpus, memoryBytes: query.memory_bytes, gpus: query.num_gpus }
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
