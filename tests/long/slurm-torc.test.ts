import type { ChildProcess } from 'node:child_process'
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { openProgram, type Program } from '../cli/program.ts'
import { type RealScheduler, startReal } from '../helpers/real-schedulers.ts'

/** Two nodes of 8 CPUs, as Slurm has them; a server beside it, which they reach. */
let slurm: RealScheduler
let program: Program
let server: ChildProcess

beforeAll(async () => {
  slurm = startReal('slurm')
  program = openProgram()
  server = program.start(['server', '--port', '0'])
  await vi.waitUntil(() => existsSync(outputOf('headrace.json')), { timeout: 30_000 })
}, 600_000)
afterAll(() => {
  server.kill()
  slurm.stop()
  program.close()
})

const outputOf = (name: string): string => join(program.directory, 'headrace_output', name)

async function run(...words: string[]): Promise<string> {
  const ended = await program.run(words, slurm.env)
  expect({ code: ended.code, stderr: ended.stderr }).toMatchObject({ code: 0 })
  return ended.stdout
}
const documentOf = async (words: string) => JSON.parse(await run(...words.split(' '), '--format', 'json'))

async function submit(name: string, text: string): Promise<number> {
  writeFileSync(join(program.directory, name), text)
  return (await documentOf(`submit ${name}`)).workflow_id
}

const countsOf = async (id: number): Promise<Record<string, number>> =>
  (await documentOf(`status ${id}`)).jobs_by_status
const allocationsOf = async (id: number) =>
  (await documentOf(`scheduled-compute-nodes list ${id}`)).items as { scheduler_id: number; status: string }[]
const queue = (): string => execFileSync('squeue', ['-h', '-o', '%A'], { env: slurm.env, encoding: 'utf8' }).trim()

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

/** Waits until a count of jobs is as wanted; the last state is in the message. */
async function untilCounted(id: number, status: string, count: number): Promise<void> {
  await vi.waitFor(async () => expect(await countsOf(id)).toMatchObject({ [status]: count }), {
    timeout: 120_000,
    interval: 1_000,
  })
}

const untilEmpty = () => vi.waitFor(() => expect(queue()).toBe(''), { timeout: 60_000, interval: 1_000 })

/** What the jobs of a workflow have printed. */
const printed = (id: number): string[] =>
  readdirSync(outputOf('job_stdio'))
    .filter(name => name.startsWith(`job_wf${id}_`) && name.endsWith('.o'))
    .flatMap(name =>
      readFileSync(outputOf(`job_stdio/${name}`), 'utf8')
        .trim()
        .split('\n'),
    )

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
    writeFileSync(join(program.directory, 'plain.yaml'), flow)
    await run('slurm', 'generate', 'plain.yaml', '--account', 'any', '-o', 'stages.yaml')
    const { workflow_id: id } = await documentOf('submit stages.yaml')
    await untilCounted(id, 'completed', 22)
    await untilEmpty()
    await vi.waitFor(async () => {
      const open = (await allocationsOf(id)).filter(({ status }) => status !== 'complete' && status !== 'canceled')
      expect(open).toEqual([])
    })
    expect((await allocationsOf(id)).length).toBeGreaterThan(1)
    const correlated = await documentOf(`compute-nodes list ${id}`)
    expect(correlated.items[0]).toMatchObject({ compute_node_type: 'slurm', is_active: false })
  })

  test('has a runner on each node where that is wanted', async () => {
    const id = await submit(
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
    await untilCounted(id, 'completed', 12)
    expect(new Set(printed(id))).toEqual(new Set(['n1', 'n2']))
    expect((await documentOf(`compute-nodes list ${id}`)).count).toBe(2)
    await untilEmpty()
  })

  test('runs jobs of several nodes through srun, beside jobs of one', async () => {
    const id = await submit(
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
    await untilCounted(id, 'completed', 6)
    await untilCounted(id, 'failed', 1)
    expect(
      printed(id)
        .filter(line => line !== '')
        .sort(),
    ).toEqual([...Array(4).fill('small 2'), 'wide n1', 'wide n1', 'wide n2', 'wide n2'])
    const { items } = await documentOf(`results list ${id}`)
    expect(items.map((one: { return_code: number }) => one.return_code).sort()).toEqual([0, 0, 0, 0, 0, 0, 7])
    expect(items.every((one: { peak_memory_bytes?: number }) => one.peak_memory_bytes === undefined)).toBe(true)
    await untilEmpty()
  })

  test('gives back what a killed allocation had, at the cost of the loss budget', async () => {
    const id = await submit(
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
    await untilCounted(id, 'running', 2)
    expect((await documentOf(`slurm sync-status ${id}`)).items).toEqual([])
    // Its jobs hold out against TERM, so that Slurm kills all of it before the runner can say anything.
    execFileSync('scancel', [queue()], { env: slurm.env })
    await untilEmpty()
    const [lost] = (await documentOf(`slurm sync-status ${id}`)).items
    expect(lost).toMatchObject({ status: 'complete', failed_job_ids: [] })
    expect(lost.ready_job_ids).toHaveLength(2)
    expect(await countsOf(id)).toMatchObject({ ready: 2 })
    const { items } = await documentOf(`jobs list ${id}`)
    expect(items.map((job: { attempt_id: number }) => job.attempt_id)).toEqual([2, 2])
    // And goes on where it is asked to.
    const again = await documentOf(`slurm schedule-nodes ${id}`)
    expect(again.count).toBe(1)
    await untilCounted(id, 'running', 2)
    await run('cancel', String(id))
    await untilEmpty()
  })

  test('goes on after a requeue, which the loss budget pays', async () => {
    const id = await submit('requeue.yaml', simple('requeue', 'sleep 5', 2))
    await untilCounted(id, 'running', 2)
    execFileSync('scontrol', ['requeue', queue()], { env: slurm.env })
    await untilCounted(id, 'completed', 2)
    const { items } = await documentOf(`jobs list ${id}`)
    expect(items.map((job: { attempt_id: number }) => job.attempt_id)).toEqual([2, 2])
    await untilEmpty()
    expect(await allocationsOf(id)).toMatchObject([{ status: 'complete' }])
  })

  test('runs serialized allocations one after the other, and cancels those that nothing is left for', async () => {
    const id = await submit('chain.yaml', simple('chain', 'sleep 2', 4, 'serialize_allocations: true', 3))
    await vi.waitFor(() => expect(queue().split('\n')).toHaveLength(3))
    await untilCounted(id, 'completed', 4)
    await untilEmpty()
    expect((await allocationsOf(id)).map(({ status }) => status)).toEqual(['complete', 'canceled', 'canceled'])
    expect((await documentOf(`compute-nodes list ${id}`)).count).toBe(1)
  })

  test('knows the one allocation that a frozen controller has taken after its client gave up', async () => {
    const pid = slurm.daemon('slurmctld')
    process.kill(pid, 'SIGSTOP')
    // Clients wait ten seconds for an answer.
    const thaw = setTimeout(() => process.kill(pid, 'SIGCONT'), 13_000)
    try {
      const id = await submit('frozen.yaml', simple('frozen', 'true', 1))
      expect(await allocationsOf(id)).toHaveLength(1)
      await untilCounted(id, 'completed', 1)
    } finally {
      clearTimeout(thaw)
      process.kill(pid, 'SIGCONT')
    }
    await untilEmpty()
  })
})
