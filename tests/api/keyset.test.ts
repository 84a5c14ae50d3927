import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type TestApp, testApp } from '../helpers/app.ts'
import { completionOf } from '../helpers/completion.ts'
import { jobOf, type Started, startWorkflow, workflowOf } from '../helpers/workflow.ts'

let t: TestApp
let started: Started

beforeAll(async () => {
  t = await testApp()
  const files = ['a', 'b', 'c'].map(name => ({ name, path: name, stMtime: undefined, identifier: undefined }))
  const userData = ['d', 'e', 'f'].map(name => ({ name, data: '1', isEphemeral: false }))
  const makers = [0, 1, 2].map(k => jobOf(`maker_${k}`, { outputFiles: [k], outputUserData: [k] }))
  const readers = [0, 1, 2, 3].map(k => jobOf(`reader_${k}`, { inputFiles: [0, 1, 2], inputUserData: [0, 1] }))
  // Two workflows that grow side by side: ids of one do not follow each other.
  const other = (await t.post('/workflows', { name: 'other', user: 'u' })).body.id
  started = await startWorkflow(t, workflowOf([...makers, ...readers], { files, userData }))
  const { workflowId: own, nodeId } = started
  for (let k = 0; k < 5; k++) {
    for (const workflow_id of [own, other]) {
      await t.post('/jobs', { workflow_id, name: `late_${k}`, command: 'true' })
      await t.post('/events', { workflow_id, timestamp: 1, data: { k } })
      await t.post('/failure_handlers', { workflow_id, name: `h${k}`, rules: '[]' })
      await t.post('/ro_crate_entities', { workflow_id, entity_id: `#${k}`, entity_type: 'File', metadata: {} })
      await t.post('/slurm_schedulers', { workflow_id, name: `s${k}`, account: 'a', nodes: 1, walltime: '1:00' })
      await t.post('/local_schedulers', { workflow_id, name: `l${k}` })
      await t.post('/resource_requirements', { workflow_id, name: `r${k}` })
    }
    await t.post('/slurm_stats', { workflow_id: own, job_id: started.jobs[k], run_id: 0, attempt_id: 1 })
    await t.post('/results', completionOf(started, started.jobs[k]!, { run_id: 5 }).result)
    await t.post('/results', completionOf(started, started.jobs[k]!, { run_id: 6 }).result)
  }
  expect(nodeId).toBeGreaterThan(0)
})
afterAll(() => t.close())

type Item = Record<string, unknown>

/** All pages of a list, one after the other. */
async function pages(path: string, limit: number): Promise<Item[][]> {
  const found: Item[][] = []
  for (let after: unknown = 0; ; ) {
    const { status, body } = await t.get(`${path}limit=${limit}&after_id=${after}`)
    expect(status).toBe(200)
    expect(body.count).toBe(body.items.length)
    found.push(body.items)
    expect(body.has_more).toBe(body.next_after_id !== undefined)
    if (!body.has_more) return found
    after = body.next_after_id
  }
}

const LISTS = [
  '/workflows?',
  '/jobs?workflow_id=OWN&',
  '/jobs?workflow_id=OWN&status=ready&',
  '/jobs?workflow_id=OWN&name=late&',
  '/results?workflow_id=OWN&',
  '/results?workflow_id=OWN&all_runs=true&',
  '/files?workflow_id=OWN&',
  '/user_data?workflow_id=OWN&',
  '/events?workflow_id=OWN&',
  '/compute_nodes?workflow_id=OWN&',
  '/resource_requirements?workflow_id=OWN&',
  '/slurm_schedulers?workflow_id=OWN&',
  '/local_schedulers?workflow_id=OWN&',
  '/slurm_stats?workflow_id=OWN&',
  '/workflows/OWN/job_dependencies?',
  '/workflows/OWN/job_file_relationships?',
  '/workflows/OWN/job_user_data_relationships?',
  '/workflows/OWN/failure_handlers?',
  '/workflows/OWN/ro_crate_entities?',
]

describe.each(LISTS)('GET %s', list => {
  it.each([1, 2, 3, 100])('gives in pages of %i by after_id what it gives in one', async limit => {
    const path = list.replace('OWN', String(started.workflowId))
    const whole: Item[] = (await t.get(path)).body.items
    expect(whole.length).toBeGreaterThan(0)
    const found = await pages(path, limit)
    expect(found.flat()).toEqual(whole)
    expect(found.slice(0, -1).every(page => page.length === limit)).toBe(true)
  })
})

describe('after_id', () => {
  const jobs = (rest: string) => t.get(`/jobs?workflow_id=${started.workflowId}&${rest}`)

  it('counts the list only when asked to', async () => {
    const { body } = await jobs('after_id=0&limit=2')
    expect(body).not.toHaveProperty('total_count')
    expect(body).toMatchObject({ offset: 0, count: 2, has_more: true, next_after_id: started.jobs[1] })
    expect((await jobs('after_id=0&limit=2&count=true')).body.total_count).toBe(12)
    expect((await jobs(`after_id=${started.jobs[6]}&limit=2&count=true`)).body.total_count).toBe(12)
    expect((await jobs('limit=2')).body.total_count).toBe(12)
  })

  it('may name a row that is gone, or none', async () => {
    expect((await jobs('after_id=999999')).body).toMatchObject({ items: [], has_more: false })
    expect((await jobs('after_id=0&limit=0')).body).toMatchObject({ items: [], count: 0 })
  })

  it('goes backwards with reverse_sort', async () => {
    const all: number[] = (await jobs('')).body.items.map((job: Item) => job.id)
    const first = (await jobs('after_id=0&reverse_sort=true&limit=5')).body
    expect(first.items.map((job: Item) => job.id)).toEqual(all.slice(-5).reverse())
    const next = (await jobs(`after_id=${first.next_after_id}&reverse_sort=true&limit=3`)).body
    expect(next.items.map((job: Item) => job.id)).toEqual(all.slice(-8, -5).reverse())
  })

  it('of a list with several keys may be the first of them: then its rows are passed over', async () => {
    const path = `/workflows/${started.workflowId}/job_dependencies?`
    const whole: Item[] = (await t.get(path)).body.items
    const second = whole[3]!.job_id
    const { body } = await t.get(`${path}after_id=${second}`)
    expect(body.items).toEqual(whole.filter(row => Number(row.job_id) > Number(second)))
  })

  it.each([
    ['after_id=-1', 400, undefined],
    ['after_id=abc', 400, undefined],
    ['after_id=1-', 400, undefined],
    ['after_id=1;DROP', 400, undefined],
    ['after_id=99999999999999999999', 400, undefined],
    ['after_id=1&after_id=2', 400, undefined],
    ['after_id=1&count=maybe', 400, undefined],
    ['after_id=1&offset=5', 422, 'offset'],
    ['after_id=1&sort_by=name', 422, 'sort_by'],
    ['after_id=1&limit=-1', 422, 'limit'],
    ['after_id=1&sort_by=id&offset=0', 200, undefined],
    ['after_id=', 200, undefined],
  ])('%s is answered with %i', async (query, status, field) => {
    const reply = await jobs(query)
    expect([reply.status, reply.body.error?.field]).toEqual([status, field])
  })
})
