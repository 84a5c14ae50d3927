import { afterEach, beforeEach, expect, it } from 'vitest'
import { appendEvents } from '../../db/stream-events.ts'
import { type TestApp, testApp } from '../helpers/app.ts'
import { seedJob, seedNode, seedWorkflow, setStatus } from '../helpers/seed.ts'

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

type Frame = {
  id: number
  event: string
  data: { workflow_id: number; timestamp: number; event_type: string; severity: string; data: Record<string, unknown> }
}

/** Opens a stream and gives a function that waits for its next frames; comments are left out. */
async function open(path: string, headers: Record<string, string> = {}) {
  const response = await t.app.request(`/v1${path}`, { headers })
  const reader = response.body!.getReader()
  const decoder = new TextDecoder()
  let text = ''
  const frames: Frame[] = []
  async function next(count: number): Promise<Frame[]> {
    while (frames.length < count) {
      const { value, done } = await reader.read()
      if (done) throw new Error(`The stream ended after ${frames.length} of ${count} frames`)
      text += decoder.decode(value, { stream: true })
      const parts = text.split('\n\n')
      text = parts.pop()!
      for (const part of parts) {
        const match = /^event: (.*)\ndata: (.*)\nid: (\d+)$/.exec(part)
        if (match) frames.push({ event: match[1]!, data: JSON.parse(match[2]!), id: Number(match[3]) })
        else expect(part).toMatch(/^: /)
      }
    }
    return frames.splice(0, count)
  }
  return { response, next, cancel: () => reader.cancel() }
}

it('GET events/stream shows what happens after it was opened, with all five fields', async () => {
  const id = await seedWorkflow(t)
  const node = await seedNode(t, id)
  const job = await seedJob(t, id, { name: 'named' })
  await setStatus(t, job, 'pending')
  const { response, next, cancel } = await open(`/workflows/${id}/events/stream`)
  expect(response.headers.get('content-type')).toBe('text/event-stream')
  expect(response.headers.get('x-accel-buffering')).toBe('no')
  await t.put(`/jobs/${job}/start_job/0/${node}`)
  const [frame] = await next(1)
  expect(frame).toMatchObject({
    event: 'job_started',
    data: {
      workflow_id: id,
      timestamp: t.clock.now,
      event_type: 'job_started',
      severity: 'info',
      data: { job_id: job, job_name: 'named', compute_node_id: node, run_id: 0 },
    },
  })
  await cancel()
})

it('S96 GET events/stream resumes after Last-Event-ID without a gap or a repeat', async () => {
  const id = await seedWorkflow(t)
  const numbers = (from: number, n: number) =>
    Array.from({ length: n }, (_, k) => ({ type: 'job_completed', data: { k: from + k } }))
  const first = await open(`/workflows/${id}/events/stream`)
  await t.db.write(() => appendEvents(id, 1, numbers(0, 3)))
  const seen = await first.next(3)
  await first.cancel()
  await t.db.write(() => appendEvents(id, 1, numbers(3, 1_200)))
  const second = await open(`/workflows/${id}/events/stream`, { 'last-event-id': String(seen[2]!.id) })
  await t.db.write(() => appendEvents(id, 1, numbers(1_203, 2)))
  seen.push(...(await second.next(1_202)))
  expect(seen.map(frame => frame.data.data.k)).toEqual(Array.from({ length: 1_205 }, (_, k) => k))
  await second.cancel()
})

it('GET events/stream sends from the asked severity on, and types of ours to those who ask only', async () => {
  const id = await seedWorkflow(t)
  const events = ['job_completed', 'job_canceled', 'job_failed', 'of_ours'].map(type => ({ type, data: {} }))
  const types = async (query: string, count: number) => {
    const stream = await open(`/workflows/${id}/events/stream${query}`, { 'last-event-id': '0' })
    const frames = await stream.next(count)
    await stream.cancel()
    return frames.map(frame => `${frame.event} ${frame.data.severity}`)
  }
  await t.db.write(() => appendEvents(id, 1, [...events, { type: 'task_completed', data: { status: 'failed' } }]))
  expect(await types('?level=WARNING', 3)).toEqual(['job_canceled warning', 'job_failed error', 'task_completed error'])
  expect(await types('?level=nonsense', 4)).toEqual([
    'job_completed info',
    'job_canceled warning',
    'job_failed error',
    'task_completed error',
  ])
  expect((await types('?types=all', 5))[3]).toBe('of_ours info')
})

it('GET events/stream ends with 404 before it begins, and ends when the server stops', async () => {
  expect((await t.get('/workflows/999/events/stream')).status).toBe(404)
  const id = await seedWorkflow(t)
  const { next } = await open(`/workflows/${id}/events/stream`)
  stopping.abort()
  await expect(next(1)).rejects.toThrow('The stream ended')
})
