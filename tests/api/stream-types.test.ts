import { afterEach, beforeEach, expect, it } from 'vitest'
import { appendEvents } from '../../db/stream-events.ts'
import { type TestApp, testApp } from '../helpers/app.ts'
import { resultOf, seedJob, seedNode, seedWorkflow } from '../helpers/seed.ts'

/** Each type of the stream with its severity and the names in its data (contract/notes.md 14.2). */
const TYPES: Record<string, [severity: string, names: string]> = {
  job_started: ['info', 'job_id job_name compute_node_id run_id'],
  job_completed: ['info', 'job_id job_name status return_code'],
  job_failed: ['error', 'job_id job_name status return_code'],
  job_terminated: ['warning', 'job_id job_name status return_code'],
  job_canceled: ['warning', 'job_id job_name status'],
  job_pending_failed: ['info', 'job_id job_name status return_code'],
  compute_node_started: ['info', 'compute_node_id hostname pid num_cpus memory_gb num_gpus compute_node_type'],
  compute_node_stopped: ['info', 'compute_node_id hostname pid duration_seconds compute_node_type'],
  scheduler_node_created: [
    'info',
    'category scheduled_compute_node_id scheduler_id scheduler_config_id scheduler_type status',
  ],
  workflow_started: ['info', 'category type user message'],
  workflow_reinitialized: ['info', 'category type user message'],
  task_completed: ['info', 'category type task_id operation status user message'],
}

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

/** Does something of everything that a stream tells of. */
async function everything(w: number): Promise<void> {
  const node = await seedNode(t, w)
  const statuses = ['completed', 'failed', 'terminated', 'pending_failed'] as const
  const jobs = []
  for (const status of statuses) jobs.push(await seedJob(t, w, { name: status }))
  await seedJob(t, w, { name: 'below', depends_on_job_ids: [jobs[1]] })
  const allocation = { scheduler_id: 1, scheduler_config_id: 2, scheduler_type: 'slurm', status: 'pending' }
  await t.post('/scheduled_compute_nodes', { workflow_id: w, ...allocation })
  await t.post(`/workflows/${w}/initialize_jobs`)
  await t.post(`/workflows/${w}/initialize_jobs?only_uninitialized=true&async=true`)
  await t.post(`/workflows/${w}/claim_next_jobs?limit=9`)
  for (const [k, status] of statuses.entries()) {
    await t.put(`/jobs/${jobs[k]}/start_job/0/${node}`)
    await t.post(`/jobs/${jobs[k]}/complete_job/${status}/0`, resultOf(w, jobs[k]!, node, { status, return_code: k }))
  }
  await t.put(`/compute_nodes/${node}`, { is_active: false, duration_seconds: 3 })
}

type Frame = {
  event: string
  data: { workflow_id: number; timestamp: number; event_type: string; severity: string; data: object }
}

/** All that a stream has sent when nothing more comes for a moment. */
async function framesOf(w: number, query = ''): Promise<Frame[]> {
  const response = await t.app.request(`/v1/workflows/${w}/events/stream${query}`, {
    headers: { 'last-event-id': '0' },
  })
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  while (!/event: compute_node_stopped\n.*\n.*\n\n$/.test(text)) text += (await reader.read()).value ?? ''
  await reader.cancel()
  return text
    .split('\n\n')
    .map(part => /^event: (.*)\ndata: (.*)\n/.exec(part))
    .filter(match => match !== null)
    .map(match => ({ event: match[1]!, data: JSON.parse(match[2]!) }))
}

it('GET events/stream sends each type of the contract with its severity and its data', async () => {
  const w = await seedWorkflow(t)
  await everything(w)
  const frames = await framesOf(w, '?level=debug')
  expect([...new Set(frames.map(frame => frame.event))].sort()).toEqual(Object.keys(TYPES).sort())
  for (const { event, data } of frames) {
    const [severity, names] = TYPES[event]!
    expect(data, event).toMatchObject({ workflow_id: w, event_type: event, severity, timestamp: t.clock.now })
    expect(Object.keys(data.data), event).toEqual(expect.arrayContaining(names.split(' ')))
  }
})

it('GET events/stream leaves out types that the contract does not name, unless asked for all', async () => {
  const w = await seedWorkflow(t)
  const node = await seedNode(t, w)
  await t.db.write(() => appendEvents(w, t.clock.now, [{ type: 'ours_alone' }]))
  await t.put(`/compute_nodes/${node}`, { is_active: false })
  expect((await framesOf(w)).map(frame => frame.event)).not.toContain('ours_alone')
  expect((await framesOf(w, '?types=all')).map(frame => frame.event)).toContain('ours_alone')
})
