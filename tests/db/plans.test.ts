import Database from 'libsql'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { releaseClaims } from '../../db/release.ts'
import { type TestApp, testApp } from '../helpers/app.ts'
import { completionOf } from '../helpers/completion.ts'
import { chain, fan, independent, jobOf, type Started, startWorkflow, workflowOf } from '../helpers/workflow.ts'
import { postOver, watchDb } from '../helpers/wrapped-db.ts'

let t: TestApp
/** Every statement that the requests below run, once. */
const seen = new Set<string>()

/** Tables that grow with the work: a hot statement that reads one of them from end to end gets slower and slower. */
const LARGE = ['job', 'job_edge', 'job_text', 'job_file', 'result', 'file', 'stream_event', 'lost_attempt']

beforeAll(async () => {
  t = await testApp()
  const watched = watchDb(t.db, { before: ({ sql }) => void seen.add(sql) })
  const post = postOver(t, watched)
  const files = [{ name: 'f', path: 'f', stMtime: undefined, identifier: undefined }]
  const handlers = [{ name: 'h', rules: '[]' }]
  const jobs = [...independent(8), jobOf('writes', { outputFiles: [0], failureHandler: 0 })]
  const started = await startWorkflow(t, workflowOf(jobs, { files, failureHandlers: handlers, lossBudget: 0 }))
  await claimAndComplete(post, started)
  await claimAndComplete(post, await startWorkflow(t, workflowOf(chain(30))))
  await claimAndComplete(post, await startWorkflow(t, workflowOf(fan(6_000))))
  const held = await startWorkflow(t, workflowOf(independent(4)))
  const { body } = await post(`/workflows/${held.workflowId}/claim_next_jobs`, { compute_node_id: held.nodeId })
  const claims = body.jobs.map((job: { id: number; claim_token: string }) => ({
    jobId: job.id,
    claimToken: job.claim_token,
    lost: job.id % 2 === 0 ? 'node_lost' : undefined,
  }))
  await watched.write(() => releaseClaims(held.nodeId, claims, { now: 1 }))
})
afterAll(() => t.close())

async function claimAndComplete(post: ReturnType<typeof postOver>, started: Started): Promise<void> {
  const { workflowId, nodeId } = started
  const offer = { num_cpus: 2, memory_gb: 1, num_gpus: 0, num_nodes: 1, total: { num_cpus: 4, memory_gb: 8 } }
  const claim = {
    ...offer,
    limit: 2,
    compute_node_id: nodeId,
    lease_seconds: 60,
    claim_id: `claim-of-${workflowId}`,
    start: true,
    hold: { jobs: 3, num_cpus: 1, memory_gb: 1 },
  }
  const { body } = await post(`/workflows/${workflowId}/claim_jobs_based_on_resources/2`, claim)
  type Job = { id: number; claim_token: string; status: string }
  const jobs: Job[] = body.jobs
  const heldJobs = jobs.filter(job => job.status === 'pending')
  const batch = {
    completions: jobs.map(({ id, claim_token }, k) => ({
      ...completionOf(started, id, {
        claim_token,
        ...(k === 0 ? { status: 'failed' } : {}),
        ...(k === 1 ? { status: 'terminated', failure_class: 'allocation_end' } : {}),
      }),
      file_times: [{ file_id: 1, st_mtime: 1 }],
    })),
    started: heldJobs.map(job => ({ job_id: job.id, claim_token: job.claim_token, start_time: 1 })),
    claim: { ...claim, claim_id: `claim-after-${workflowId}` },
  }
  await post(`/workflows/${workflowId}/batch_complete_jobs`, batch)
  await post(`/workflows/${workflowId}/batch_complete_jobs`, batch)
}

/** Reads a table whole, or all of it that belongs to one workflow, or has one status there. */
const WHOLE =
  /^(?:SCAN (\w+)|SEARCH (?=\w+ USING (?:COVERING )?INDEX (?:\w+_by_workflow \(workflow_id=\?|job_by_status \(workflow_id=\?(?: AND status=\?)?)\))(\w+))/

/** The names under which a statement speaks of its large tables. */
function namesOf(sql: string): Set<string> {
  const names = new Set(LARGE)
  for (const [, , alias] of sql.matchAll(new RegExp(`\\b(${LARGE.join('|')})\\s+(?:AS\\s+)?(\\w+)`, 'gi')))
    names.add(alias!)
  return names
}

function isLarge(names: ReadonlySet<string>, detail: string): boolean {
  const [, scanned, searched] = WHOLE.exec(detail) ?? []
  return names.has(scanned ?? searched ?? '')
}

it('claims, completions, cascades and releases never read a large table from end to end', () => {
  const connection = new Database(t.dbPath)
  const plans = [...seen].map(sql => {
    const rows = connection.prepare(`EXPLAIN QUERY PLAN ${sql}`).all() as { detail: string }[]
    return { sql, details: rows.map(row => row.detail) }
  })
  connection.close()
  const bad = plans.flatMap(({ sql, details }) => {
    const names = namesOf(sql)
    return details.filter(detail => isLarge(names, detail)).map(detail => `${detail}: ${sql}`)
  })
  expect(bad).toEqual([])
  const hot = [
    'job_ready',
    'UPDATE job SET status',
    'WITH waiting',
    'INTO result',
    'FROM json_each(?) AS wanted CROSS JOIN result',
    'job_edge WHERE depends_on_job_id',
    'told',
  ]
  for (const part of hot)
    expect(
      [...seen].some(sql => sql.includes(part)),
      part,
    ).toBe(true)
  expect(plans.some(plan => plan.details.some(detail => detail.startsWith('SEARCH')))).toBe(true)
})
