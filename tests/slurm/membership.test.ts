import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { joinAllocation } from '../../runner/slurm/membership.ts'
import { type TestApp, testApp } from '../helpers/app.ts'
import { seedNode } from '../helpers/seed.ts'
import { independent, startWorkflow, workflowOf } from '../helpers/workflow.ts'
import { clientOf } from './app-client.ts'
import { createFakeCluster } from './fake-cluster.ts'

let t: TestApp
beforeEach(async () => {
  t = await testApp()
})
afterEach(() => t.close())

const ENV = { SLURM_JOB_ID: '77', SLURM_JOB_NUM_NODES: '1', HEADRACE_ALLOCATION_NAME: 'hr-00000001' }

const join = (workflowId: number, fields: object = {}) =>
  joinAllocation({
    client: clientOf(t),
    workflowId,
    schedulerConfigId: 4,
    env: ENV,
    scheduler: createFakeCluster().scheduler,
    pause: async () => {},
    ...fields,
  })

async function start(jobs = 1): Promise<number> {
  return (await startWorkflow(t, workflowOf(independent(jobs)))).workflowId
}

const schedule = async (workflowId: number, id: number, status = 'pending'): Promise<number> => {
  const row = { workflow_id: workflowId, scheduler_id: id, scheduler_config_id: 4, scheduler_type: 'slurm', status }
  return (await t.post('/scheduled_compute_nodes', row)).body.id
}

const rowsOf = async (workflowId: number) =>
  (await t.get(`/scheduled_compute_nodes?workflow_id=${workflowId}`)).body.items as { id: number; status: string }[]
const statusesOf = async (workflowId: number) => (await rowsOf(workflowId)).map(row => row.status)

describe('joinAllocation()', () => {
  test('says that the allocation is active, and what its runner is registered with', async () => {
    const workflowId = await start()
    const id = await schedule(workflowId, 77)
    const membership = await join(workflowId)
    expect(membership?.facts).toEqual({
      compute_node_type: 'slurm',
      scheduler: { scheduler_id: id, type: 'slurm', slurm_job_id: '77', allocation: 'hr-00000001', worker: 1 },
    })
    expect(membership?.logName).toBe(`job_runner_slurm_wf${workflowId}_sl77_n0_pid${process.pid}.log`)
    expect(await statusesOf(workflowId)).toEqual(['active'])
  })

  test('waits for the record of its submission, and makes it when none comes', async () => {
    const workflowId = await start()
    let looks = 0
    const pause = async () => {
      if (++looks === 2) await schedule(workflowId, 77)
    }
    await join(workflowId, { pause })
    expect(looks).toBe(2)
    expect(await rowsOf(workflowId)).toHaveLength(1)
    const other = await start()
    await join(other)
    expect(await rowsOf(other)).toMatchObject([{ scheduler_id: 77, scheduler_config_id: 4, status: 'active' }])
  })

  test("leaves a user's own allocation and a machine without Slurm as they are", async () => {
    const workflowId = await start()
    expect(await join(workflowId, { schedulerConfigId: undefined })).toBeUndefined()
    expect(await join(workflowId, { env: {} })).toBeUndefined()
    expect(await rowsOf(workflowId)).toEqual([])
  })
})

describe('leave()', () => {
  test('closes the allocation with the last of its runners', async () => {
    const workflowId = await start()
    const id = await schedule(workflowId, 77)
    const membership = await join(workflowId)
    const other = await seedNode(t, workflowId, { is_active: true, scheduler: { scheduler_id: id } })
    await membership?.leave()
    expect(await statusesOf(workflowId)).toEqual(['active'])
    await t.put(`/compute_nodes/${other}`, { is_active: false })
    await membership?.leave()
    expect(await statusesOf(workflowId)).toEqual(['complete'])
  })

  test('does not call an allocation complete that somebody has cancelled', async () => {
    const workflowId = await start()
    const id = await schedule(workflowId, 77)
    const membership = await join(workflowId)
    const [row] = await rowsOf(workflowId)
    await t.put(`/scheduled_compute_nodes/${id}`, { ...row, status: 'canceled' })
    await membership?.leave()
    expect(await statusesOf(workflowId)).toEqual(['canceled'])
  })

  test('cancels what waits in the queue once nothing is left to do, and nothing before', async () => {
    const workflowId = await start()
    await schedule(workflowId, 77)
    await schedule(workflowId, 78)
    const cluster = createFakeCluster()
    const membership = await join(workflowId, { scheduler: cluster.scheduler })
    await membership?.leave()
    expect(cluster.canceled).toEqual([])
    await t.put(`/workflows/${workflowId}/cancel`)
    await membership?.leave()
    expect(cluster.canceled).toEqual([['78', 'queued']])
    expect(await statusesOf(workflowId)).toEqual(['complete', 'canceled'])
  })
})
