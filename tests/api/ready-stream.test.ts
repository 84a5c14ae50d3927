import { afterEach, beforeEach, expect, test } from 'vitest'
import { type TestApp, testApp } from '../helpers/app.ts'
import { completionOf } from '../helpers/completion.ts'
import { chain, independent, type Started, startWorkflow, workflowOf } from '../helpers/workflow.ts'

let t: TestApp
let stopping: AbortController
beforeEach(async () => {
  stopping = new AbortController()
  t = await testApp({ stopping: stopping.signal })
})
afterEach(async () => {
  stopping.abort()
  await t.close()
})

/** Opens a stream and counts the notices that come. */
async function open(query = '') {
  const response = await t.app.request(`/v1/claims/stream${query}`)
  expect(response.headers.get('content-type')).toContain('text/event-stream')
  const reader = response.body!.getReader()
  const decoder = new TextDecoder()
  const seen = { text: '' }
  void (async () => {
    for (;;) {
      const { value, done } = await reader.read()
      if (done) return
      seen.text += decoder.decode(value, { stream: true })
    }
  })()
  const notices = (): number => seen.text.split('event: ready\n').length - 1
  await until(() => seen.text.includes(': open'))
  return { notices, close: () => reader.cancel() }
}

async function until(fact: () => boolean): Promise<void> {
  for (let k = 0; k < 400 && !fact(); k++) await pause(10)
  expect(fact()).toBe(true)
}

const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))

async function claimOne({ workflowId, nodeId }: Started) {
  const { body } = await t.post(`/workflows/${workflowId}/claim_next_jobs?limit=1`, { compute_node_id: nodeId })
  return body.jobs[0]
}

test('GET /claims/stream tells when a dependant becomes ready, and nothing while nothing is', async () => {
  const started = await startWorkflow(t, workflowOf(chain(2)))
  const job = await claimOne(started)
  const [of, any, other] = [
    await open(`?workflow_id=${started.workflowId}`),
    await open(),
    await open('?workflow_id=99'),
  ]
  await pause(200)
  const before = [of.notices(), any.notices()]
  expect(before).toEqual([0, 0])
  await t.post(`/workflows/${started.workflowId}/batch_complete_jobs`, {
    completions: [completionOf(started, job.id, { claim_token: job.claim_token })],
  })
  await until(() => of.notices() === 1 && any.notices() === 1)
  await pause(200)
  expect([of.notices(), any.notices(), other.notices()]).toEqual([1, 1, 0])
})

test('GET /claims/stream tells of workflows that come later, and only of those that are asked for', async () => {
  const [wind, sun] = [await open('?project=wind'), await open('?project=sun')]
  await startWorkflow(t, workflowOf(independent(3), { project: 'wind' }))
  await until(() => wind.notices() > 0)
  expect(sun.notices()).toBe(0)
})

test('GET /claims/stream tells many listeners a few at a time, and all of them while there is work', async () => {
  const streams = await Promise.all(Array.from({ length: 150 }, () => open()))
  await startWorkflow(t, workflowOf(independent(3)))
  await until(() => streams.every(stream => stream.notices() > 0))
})
