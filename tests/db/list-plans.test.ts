import Database from 'libsql'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createApp } from '../../api/app.ts'
import type { Statement } from '../../db/unit.ts'
import { type TestApp, testApp } from '../helpers/app.ts'
import { seedJob, seedWorkflow } from '../helpers/seed.ts'
import { watchDb } from '../helpers/wrapped-db.ts'

let t: TestApp
let workflowId: number
let seen: Statement[] = []
let ask: (path: string) => Promise<number>

beforeAll(async () => {
  t = await testApp()
  workflowId = await seedWorkflow(t)
  await seedJob(t, workflowId)
  const watched = watchDb(t.db, { before: statement => void seen.push(statement) })
  const app = createApp({ db: watched, version: '0.0.0-test' })
  ask = async path => (await app.request(`/v1${path}`)).status
})
afterAll(() => t.close())

/** How SQLite goes about the statements of one request. */
async function plansOf(path: string): Promise<string[]> {
  seen = []
  expect(await ask(path)).toBe(200)
  const connection = new Database(t.dbPath)
  const details = seen.flatMap(({ sql }) => {
    const rows = connection.prepare(`EXPLAIN QUERY PLAN ${sql}`).all() as { detail: string }[]
    return rows.map(row => row.detail)
  })
  connection.close()
  return details
}

const own = (path: string, filters = '') => `${path}?workflow_id=ID${filters}`

/** Every list, and with it the filters that an index serves. */
const LISTS = [
  '/workflows?',
  own('/jobs'),
  own('/jobs', '&status=failed'),
  own('/jobs', '&status=ready'),
  own('/jobs', '&upstream_job_id=1'),
  own('/jobs', '&needs_file_id=1'),
  own('/jobs', '&active_compute_node_id=1'),
  own('/results'),
  own('/results', '&all_runs=true'),
  own('/results', '&job_id=1'),
  own('/files'),
  own('/files', '&produced_by_job_id=1'),
  own('/user_data'),
  own('/user_data', '&consumer_job_id=1'),
  own('/user_data', '&producer_job_id=1'),
  own('/events'),
  own('/compute_nodes'),
  own('/scheduled_compute_nodes'),
  own('/resource_requirements'),
  own('/slurm_schedulers'),
  own('/local_schedulers'),
  own('/slurm_stats'),
  '/workflows/ID/job_dependencies?',
  '/workflows/ID/job_file_relationships?',
  '/workflows/ID/job_user_data_relationships?',
  '/workflows/ID/failure_handlers?',
  '/workflows/ID/ro_crate_entities?',
  '/workflows/ID/running_jobs?',
]

const RIGHT_PART = ['USE TEMP B-TREE FOR RIGHT PART OF ORDER BY']

describe.each(LISTS)('GET %s', path => {
  const at = (after: string) => `${path.replaceAll('ID', String(workflowId))}&limit=100&after_id=${after}`

  it.each(['0', '7'])('finds its page behind %s by an index, and sorts nothing', async after => {
    const plans = await plansOf(at(after))
    // Short tables: one row, and one for each workflow.
    expect(plans.filter(detail => /^SCAN (?!identity|workflow\b)/.test(detail))).toEqual([])
    // What makes or reads one file is sorted on its own; never more than that.
    const sorts = plans.filter(detail => detail.startsWith('USE TEMP B-TREE'))
    expect(sorts).toEqual(path.includes('data_relationships') || path.includes('file_relationships') ? RIGHT_PART : [])
    expect(plans.some(detail => /^(SEARCH|SCAN workflow)/.test(detail))).toBe(true)
  })
})

describe.each(['summary', 'is_complete'])('GET /workflows/{id}/%s', name => {
  it('reads counters, not jobs', async () => {
    const plans = await plansOf(`/workflows/${workflowId}/${name}`)
    expect(plans.length).toBeGreaterThan(1)
    // Jobs that pause before another attempt are few, and have an index of their own.
    const ofJobs = seen.filter(
      ({ sql }) => /\b(job|result|job_text)\b/i.test(sql) && !sql.includes('INDEXED BY job_waiting'),
    )
    expect(ofJobs).toEqual([])
    expect(plans.filter(detail => detail.startsWith('SCAN w'))).toEqual([])
  })
})
