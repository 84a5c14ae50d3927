import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openActions } from '../../runner/actions.ts'
import { createNodeScheduler } from '../../runner/slurm/node-scheduler.ts'
import { createFakeClient, refusal } from '../runner/fake-client.ts'
import { schedulerOf, slurmWorkflowOf } from './rows.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'headrace-nodes-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const ACTION = {
  id: 5,
  trigger_type: 'on_jobs_ready',
  action_type: 'schedule_nodes',
  action_config: { scheduler_id: 3, scheduler_type: 'slurm', num_allocations: 1 },
  required_triggers: 1,
  persistent: false,
  executed: false,
}

/** A runner in an allocation whose PATH has no sbatch, and what it was asked and told. */
async function openRunner(env: NodeJS.ProcessEnv, claim: unknown = { success: true }) {
  const notes: string[] = []
  const clock = { now: 0 }
  const { client, sent } = createFakeClient((method, path) => {
    if (path.startsWith('/slurm_schedulers')) return schedulerOf()
    if (path === '/workflows/1') return slurmWorkflowOf()
    if (path.includes('scheduled_compute_nodes')) return { items: [], has_more: false, count: 0 }
    if (path.endsWith('/claim')) return claim
    return method === 'GET' ? [ACTION] : ACTION
  })
  const note = (line: string) => void notes.push(line)
  const nodes = createNodeScheduler({
    client,
    address: { baseUrl: 'http://login1/v1' },
    workflowId: 1,
    nodeId: 2,
    outputDir: directory,
    env: { ...env, PATH: directory },
    clock: () => clock.now,
    note,
  })
  const facts = { workflowId: 1, apiUrl: 'http://login1/v1', outputDir: directory, runId: 0 }
  const actions = await openActions({ client, workflowId: 1, nodeId: 2, facts, note, nodes })
  const claims = () => sent.filter(one => one.path.endsWith('/claim')).length
  return { actions, nodes, notes, clock, sent, claims }
}

test('a runner outside of Slurm leaves schedule_nodes actions to others', async () => {
  const { actions, claims } = await openRunner({})
  await actions.run('on_jobs_ready')
  expect(claims()).toBe(0)
})

test('a runner in an allocation takes them, puts back what is refused, and then leaves Slurm alone for a while', async () => {
  const { actions, nodes, notes, clock, sent, claims } = await openRunner({ SLURM_JOB_ID: '77' })
  await actions.run('on_jobs_ready')
  expect(claims()).toBe(1)
  expect(notes).toEqual([expect.stringContaining('sbatch')])
  const copies = sent.filter(one => one.method === 'POST' && one.path === '/workflows/1/actions')
  expect(copies).toMatchObject([{ body: { is_recovery: true, trigger_count: 1 } }])
  expect(nodes?.takes(ACTION)).toBe(false)
  clock.now = 600_000
  expect(nodes?.takes(ACTION)).toBe(true)
})

test('an action that another runner has taken is no trouble', async () => {
  const { actions, notes } = await openRunner({ SLURM_JOB_ID: '77' }, refusal(409, 'taken'))
  await actions.run('on_jobs_ready')
  expect(notes).toEqual([])
})
