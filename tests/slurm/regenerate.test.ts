import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { listDue } from '../../runner/slurm/fire-actions.ts'
import { planSchedulers } from '../../runner/slurm/plan-schedulers.ts'
import { readJobsToCome, storeGroups } from '../../runner/slurm/regenerate.ts'
import { type TestApp, testApp } from '../helpers/app.ts'
import { setStatus } from '../helpers/seed.ts'
import { chain, requirementsOf, startWorkflow, workflowOf } from '../helpers/workflow.ts'
import { partitionOf } from '../hpc-profiles/partitions.ts'
import { askedOf } from './app-client.ts'

let t: TestApp
beforeEach(async () => {
  t = await testApp()
})
afterEach(() => t.close())

/** Three jobs, one after the other, of which the first has failed and is ready again. */
async function start() {
  const requirements = requirementsOf('small', { numCpus: 2, memory: '2g', runtime: 'PT10M' })
  const jobs = chain(3, { resourceRequirements: 0 })
  return startWorkflow(t, workflowOf(jobs, { resourceRequirements: [requirements] }))
}

const controlPlane = () => ({ ...askedOf(t), close: async () => {} })

const OPTIONS = {
  account: 'physics',
  walltimeStrategy: 'max-job-runtime',
  walltimeMultiplier: 2,
  groupBy: 'partition',
  singleAllocation: false,
} as const

describe('readJobsToCome()', () => {
  test('reads what waits, with its stage among those and what it requires now', async () => {
    const { workflowId, jobs } = await start()
    await setStatus(t, jobs[0]!, 'completed')
    const { placed } = await readJobsToCome(controlPlane(), workflowId, undefined)
    expect(placed.map(job => [job.name, job.stage])).toEqual([
      ['link_1', 0],
      ['link_2', 1],
    ])
    expect(placed[0]!.set).toMatchObject({ cpus: 2, memoryBytes: 2 * 2 ** 30, runtimeSeconds: 600, nodes: 1 })
  })

  test('leaves out what is not asked for', async () => {
    const { workflowId, jobs } = await start()
    const { placed } = await readJobsToCome(controlPlane(), workflowId, new Set([jobs[2]!]))
    expect(placed.map(job => job.name)).toEqual(['link_2'])
  })
})

describe('storeGroups()', () => {
  test('stores schedulers, binds the jobs, and asks for nodes when these are ready', async () => {
    const { workflowId } = await start()
    const { jobs, placed } = await readJobsToCome(controlPlane(), workflowId, undefined)
    const plan = planSchedulers(placed, [partitionOf('all')], OPTIONS)
    const [stored] = await storeGroups(plan.groups, jobs, workflowId, askedOf(t))
    expect((await t.get(`/slurm_schedulers/${stored!.schedulerId}`)).body).toMatchObject({
      name: 'all_scheduler',
      account: 'physics',
      walltime: '00:20:00',
    })
    const { items } = (await t.get(`/jobs?workflow_id=${workflowId}`)).body
    const bound = items.map((job: { scheduler_id: number }) => job.scheduler_id)
    expect(bound).toEqual(Array(3).fill(stored!.schedulerId))
    const due = await listDue(askedOf(t), workflowId)
    expect(due.map(action => action.id)).toEqual([stored!.actions[0]!.id])
    expect(due[0]!.job_ids).toEqual([jobs[0]!.id])
    // The whole workflow anew makes its own actions again.
    await t.post(`/workflows/${workflowId}/initialize_jobs`)
    expect((await t.get(`/workflows/${workflowId}/actions`)).body).toEqual([])
  })

  test('makes lasting actions for a workflow that has not started', async () => {
    const { workflowId, jobs: ids } = await start()
    for (const id of ids) await setStatus(t, id, 'uninitialized')
    const { jobs, placed } = await readJobsToCome(controlPlane(), workflowId, undefined)
    await storeGroups(planSchedulers(placed, [partitionOf('all')], OPTIONS).groups, jobs, workflowId, askedOf(t))
    await t.post(`/workflows/${workflowId}/initialize_jobs`)
    expect((await t.get(`/workflows/${workflowId}/actions`)).body).toHaveLength(3)
  })
})
