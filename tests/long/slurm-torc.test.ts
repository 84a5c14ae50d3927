import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type RealScheduler, startReal } from '../helpers/real-schedulers.ts'
import { openSubmitting, type Submitting } from './submitting.ts'

/** Two nodes of 8 CPUs, as Slurm has them; a server beside it, which they reach. */
let slurm: RealScheduler
let user: Submitting

beforeAll(async () => {
  slurm = startReal('slurm')
  user = await openSubmitting(slurm)
}, 600_000)
afterAll(() => {
  user?.close()
  slurm.stop()
})

/** A workflow of equal jobs and one scheduler. */
const simple = (
  name: string,
  command: string,
  jobs: number,
  more = 'nodes: 1',
  allocations = 1,
): string => `name: ${name}
slurm_schedulers:
  - { name: s, account: any, walltime: '00:05:00', extra: --cpus-per-task=2, mem: 1g, ${more} }
jobs:
  - { name: 'j_{i}', command: '${command}', scheduler: s, parameters: { i: '1:${jobs}' } }
actions:
  - { trigger_type: on_workflow_start, action_type: schedule_nodes, scheduler: s, scheduler_type: slurm, num_allocations: ${allocations} }
`

describe('a workflow on a real Slurm', () => {
  test('is planned, submitted, asks for its own nodes stage by stage, and leaves nothing in the queue', async () => {
    const flow = `name: stages
resource_requirements:
  - { name: one, num_cpus: 1, memory: 100m, runtime: PT1M }
  - { name: four, num_cpus: 4, memory: 200m, runtime: PT1M }
jobs:
  - { name: first, command: 'true', resource_requirements: one }
  - { name: 'middle_{i}', command: 'sleep 0.2', resource_requirements: one, depends_on: [first], parameters: { i: '1:20' } }
  - { name: last, command: 'echo $SLURM_JOB_ID', resource_requirements: four, depends_on_regexes: ['^middle_'] }
`
    writeFileSync(join(user.program.directory, 'plain.yaml'), flow)
    await user.run('slurm', 'generate', 'plain.yaml', '--account', 'any', '-o', 'stages.yaml')
    const { workflow_id: id } = await user.documentOf('submit stages.yaml')
    await user.untilCounted(id, 'completed', 22)
    await user.untilEmpty()
    await vi.waitFor(async () => {
      const open = (await user.allocationsOf(id)).filter(({ status }) => status !== 'complete' && status !== 'canceled')
      expect(open).toEqual([])
    })
    expect((await user.allocationsOf(id)).length).toBeGreaterThan(1)
    const correlated = await user.documentOf(`compute-nodes list ${id}`)
    expect(correlated.items[0]).toMatchObject({ compute_node_type: 'slurm', is_active: false })
  })

  test('has a runner on each node where that is wanted', async () => {
    const id = await user.submit(
      'nodes.yaml',
      `name: nodes
slurm_schedulers:
  - { name: s, account: any, nodes: 2, walltime: '00:05:00', ntasks_per_node: 1, extra: --cpus-per-task=2, mem: 1g }
jobs:
  - { name: 'j_{i}', command: 'sleep 1; echo $SLURMD_NODENAME', scheduler: s, parameters: { i: '1:12' } }
actions:
  - { trigger_type: on_workflow_start, action_type: schedule_nodes, scheduler: s, scheduler_type: slurm, start_one_worker_per_node: true }
`,
    )
    await user.untilCounted(id, 'completed', 12)
    expect(new Set(user.printed(id))).toEqual(new Set(['n1', 'n2']))
    expect((await user.documentOf(`compute-nodes list ${id}`)).count).toBe(2)
    await user.untilEmpty()
  })

  test('runs jobs of several nodes through srun, beside jobs of one', async () => {
    const id = await user.submit(
      'steps.yaml',
      `name: steps
resource_requirements:
  - { name: wide, num_cpus: 2, num_nodes: 2, memory: 200m, runtime: PT1M }
  - { name: small, num_cpus: 2, memory: 200m, runtime: PT1M }
execution_config: { mode: slurm }
slurm_schedulers:
  - { name: s, account: any, nodes: 2, walltime: '00:05:00', ntasks_per_node: 1, extra: --cpus-per-task=4, mem: 1g }
jobs:
  - { name: 'wide_{i}', command: 'echo wide $SLURMD_NODENAME', resource_requirements: wide, scheduler: s, parameters: { i: '1:2' } }
  - { name: 'small_{i}', command: 'echo small $SLURM_CPUS_PER_TASK', resource_requirements: small, scheduler: s, parameters: { i: '1:4' } }
  - { name: fails, command: 'exit 7', resource_requirements: small, scheduler: s }
actions:
  - { trigger_type: on_workflow_start, action_type: schedule_nodes, scheduler: s, scheduler_type: slurm }
`,
    )
    await user.untilCounted(id, 'completed', 6)
    await user.untilCounted(id, 'failed', 1)
    expect(
      user
        .printed(id)
        .filter(line => line !== '')
        .sort(),
    ).toEqual([...Array(4).fill('small 2'), 'wide n1', 'wide n1', 'wide n2', 'wide n2'])
    const { items } = await user.documentOf(`results list ${id}`)
    expect(items.map((one: { return_code: number }) => one.return_code).sort()).toEqual([0, 0, 0, 0, 0, 0, 7])
    expect(items.every((one: { peak_memory_bytes?: number }) => one.peak_memory_bytes === undefined)).toBe(true)
    await user.untilEmpty()
  })

  test('gives back what a killed allocation had, at the cost of the loss budget', async () => {
    const id = await user.submit(
      'stubborn.yaml',
      `name: stubborn
slurm_schedulers:
  - { name: s, account: any, walltime: '00:05:00', extra: --cpus-per-task=2, mem: 1g }
jobs:
  - { name: 'j_{i}', command: "trap '' TERM; sleep 300 & wait; sleep 300", scheduler: s, parameters: { i: '1:2' } }
actions:
  - { trigger_type: on_workflow_start, action_type: schedule_nodes, scheduler: s, scheduler_type: slurm }
`,
    )
    await user.untilCounted(id, 'running', 2)
    expect((await user.documentOf(`slurm sync-status ${id}`)).items).toEqual([])
    // Its jobs hold out against TERM, so that Slurm kills all of it before the runner can say anything.
    execFileSync('scancel', [user.queue()], { env: slurm.env })
    await user.untilEmpty()
    const [lost] = (await user.documentOf(`slurm sync-status ${id}`)).items
    expect(lost).toMatchObject({ status: 'complete', failed_job_ids: [] })
    expect(lost.ready_job_ids).toHaveLength(2)
    expect(await user.countsOf(id)).toMatchObject({ ready: 2 })
    const { items } = await user.documentOf(`jobs list ${id}`)
    expect(items.map((job: { attempt_id: number }) => job.attempt_id)).toEqual([2, 2])
    // And goes on where it is asked to.
    const again = await user.documentOf(`slurm schedule-nodes ${id}`)
    expect(again.count).toBe(1)
    await user.untilCounted(id, 'running', 2)
    await user.run('cancel', String(id))
    await user.untilEmpty()
  })

  test('goes on after a requeue, which the loss budget pays', async () => {
    const id = await user.submit('requeue.yaml', simple('requeue', 'sleep 5', 2))
    await user.untilCounted(id, 'running', 2)
    execFileSync('scontrol', ['requeue', user.queue()], { env: slurm.env })
    await user.untilCounted(id, 'completed', 2)
    const { items } = await user.documentOf(`jobs list ${id}`)
    expect(items.map((job: { attempt_id: number }) => job.attempt_id)).toEqual([2, 2])
    await user.untilEmpty()
    expect(await user.allocationsOf(id)).toMatchObject([{ status: 'complete' }])
  })

  test('runs serialized allocations one after the other, and cancels those that nothing is left for', async () => {
    const id = await user.submit('chain.yaml', simple('chain', 'sleep 2', 4, 'serialize_allocations: true', 3))
    await vi.waitFor(() => expect(user.queue().split('\n')).toHaveLength(3))
    await user.untilCounted(id, 'completed', 4)
    await user.untilEmpty()
    expect((await user.allocationsOf(id)).map(({ status }) => status)).toEqual(['complete', 'canceled', 'canceled'])
    expect((await user.documentOf(`compute-nodes list ${id}`)).count).toBe(1)
  })

  test('knows the one allocation that a frozen controller has taken after its client gave up', async () => {
    const pid = slurm.daemon('slurmctld')
    process.kill(pid, 'SIGSTOP')
    // Clients wait ten seconds for an answer.
    const thaw = setTimeout(() => process.kill(pid, 'SIGCONT'), 13_000)
    try {
      const id = await user.submit('frozen.yaml', simple('frozen', 'true', 1))
      expect(await user.allocationsOf(id)).toHaveLength(1)
      await user.untilCounted(id, 'completed', 1)
    } finally {
      clearTimeout(thaw)
      process.kill(pid, 'SIGCONT')
    }
    await user.untilEmpty()
  })
})
