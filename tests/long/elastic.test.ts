import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RealScheduler, startReal } from '../helpers/real-schedulers.ts'
import { startServer } from '../scenarios-runner/server.ts'
import { openSite, type Running, type Site } from '../scenarios-runner/site.ts'
import { listed, tell, until } from './pipe-cluster.ts'

/** A first job, then many beside each other: demand grows, and falls to nothing. */
const wide = (jobs: number, seconds: number): string => `
name: wide
resource_requirements: [{ name: small, num_cpus: 1, memory: 16m, runtime: PT1M }]
jobs:
  - { name: first, command: 'true', resource_requirements: small }
  - name: job_{i:03d}
    parameters: { i: "1:${jobs}" }
    resource_requirements: small
    depends_on: [first]
    command: sleep ${seconds}; echo $HEADRACE_WORKER
`

/** Grid Engine limits address space, of which Node reserves more than it uses. */
const MEMORY = { slurm: '0.5', sge: '2' }
const SMALL = ['--num-cpus', '2', '--walltime', '20m', '--finish-within', '2m']
/** Short times, so that growth and release take seconds. */
const QUICK = ['--every', '1', '--idle-exit', '4s', '--cancel-after', '2s', '--lease', '20s']

type Allocation = {
  state: string
  width: number
  queue: string
  scheduler_id?: string
  message?: string
  reason?: string
}

type Elastic = {
  site: Site
  url: string
  allocating: Running
  allocations(): Promise<Allocation[]>
  jobsBy(): Promise<Record<string, number>>
}

async function startElastic(real: RealScheduler, workflow: string, options: readonly string[]): Promise<Elastic> {
  const site = openSite(workflow)
  const { url } = await startServer(site)
  await site.runTo(0, ['create', 'workflow.yaml', '--url', url])
  const words = [
    'allocate',
    '1',
    '--scheduler',
    real.kind,
    '--url',
    url,
    '--memory-gb',
    MEMORY[real.kind],
    ...SMALL,
    ...QUICK,
    ...options,
  ]
  const json = async (path: string) => (await fetch(`${url}/v1${path}`)).json()
  return {
    site,
    url,
    allocating: site.start(words, real.env),
    allocations: async () => ((await json('/workflows/1/allocations')) as { items: Allocation[] }).items,
    jobsBy: async () =>
      ((await json('/workflows/1/summary')) as { jobs_by_status: Record<string, number> }).jobs_by_status,
  }
}

describe.each(['slurm', 'sge'] as const)('elastic allocations on a real %s', kind => {
  let real: RealScheduler
  beforeAll(() => {
    real = startReal(kind)
  }, 500_000)
  afterAll(() => real?.stop(), 200_000)

  const isEmpty = () =>
    until(
      'nothing is left in the queue',
      () => listed(real),
      left => left.length === 0,
    )
  const cancel = kind === 'slurm' ? 'scancel' : 'qdel'

  it('grow when jobs become ready, keep the most nodes, and are given back to the last', async () => {
    const elastic = await startElastic(real, wide(40, 3), ['--max-nodes', '3', '--backlog', '2'])
    const { code, stderr } = await elastic.allocating.ended
    expect({ code, stderr }).toMatchObject({ code: 0 })
    const rows = await elastic.allocations()
    // One node was enough while one job was ready.
    expect(rows[0]).toMatchObject({ width: 1, reason: expect.stringMatching(/^1 ready jobs/) })
    expect(rows.reduce((sum, row) => sum + row.width, 0)).toBeGreaterThan(1)
    expect(Math.max(...rows.map(row => row.width))).toBeLessThanOrEqual(3)
    expect(new Set(rows.map(row => row.state))).toEqual(new Set(['ended']))
    expect(await elastic.jobsBy()).toMatchObject({ completed: 41 })
    await isEmpty()
  })

  it('are taken back from the queue when nobody needs them any more', async () => {
    const elastic = await startElastic(real, wide(40, 600), ['--max-nodes', '9', '--backlog', '9'])
    await until('jobs run', elastic.jobsBy, by => (by.running ?? 0) > 0)
    await elastic.site.runTo(0, ['cancel', '1', '--url', elastic.url])
    const { code } = await elastic.allocating.ended
    expect(code).toBe(4)
    expect((await elastic.allocations()).every(({ state }) => state === 'ended' || state === 'canceled')).toBe(true)
    await isEmpty()
  })

  it('that are refused are noted with the words of the scheduler, and another queue is asked', async () => {
    const queue = kind === 'slurm' ? 'nosuch,debug' : 'nosuch.q,all.q'
    const elastic = await startElastic(real, wide(4, 1), ['--queue', queue])
    expect((await elastic.allocating.ended).code).toBe(0)
    const [refused, taken] = await elastic.allocations()
    expect(refused).toMatchObject({ state: 'refused', message: expect.stringMatching(/partition|queue/i) })
    expect(refused?.scheduler_id).toBeUndefined()
    expect(taken).toMatchObject({ state: 'ended', queue: queue.split(',')[1] })
    await isEmpty()
  })

  it('that somebody cancels while their jobs run lose no job: they run again elsewhere, no retry spent', async () => {
    const elastic = await startElastic(real, wide(12, 3), ['--max-nodes', '4'])
    await until('jobs have completed', elastic.jobsBy, by => (by.completed ?? 0) >= 5)
    const running = (await elastic.allocations()).findLast(({ state }) => state === 'running')
    tell(real, cancel, running!.scheduler_id!)
    const { code, stderr } = await elastic.allocating.ended
    expect({ code, stderr }).toMatchObject({ code: 0 })
    expect(await elastic.jobsBy()).toMatchObject({ completed: 13 })
    await isEmpty()
  })

  // Who plans has nothing to do with whom it asks.
  if (kind === 'slurm') {
    it('go on when their planner is killed, and the next one takes them up', async () => {
      const elastic = await startElastic(real, wide(30, 2), ['--max-nodes', '3'])
      await until('jobs have completed', elastic.jobsBy, by => (by.completed ?? 0) >= 3)
      elastic.allocating.child.kill('SIGKILL')
      const watch = elastic.site.start(['watch', '1', '--url', elastic.url, '--every', '1'], real.env)
      const { code, stderr } = await watch.ended
      expect({ code, stderr }).toMatchObject({ code: 0 })
      expect((await elastic.allocations()).every(({ state }) => state === 'ended' || state === 'canceled')).toBe(true)
      await isEmpty()
    })

    it('stay as they are while the controller is dead, and go on when it is back', async () => {
      const elastic = await startElastic(real, wide(40, 1), ['--max-nodes', '2'])
      await until('jobs have completed', elastic.jobsBy, by => (by.completed ?? 0) >= 3)
      await until('the planner has seen one run', elastic.allocations, rows =>
        rows.some(row => row.state === 'running'),
      )
      process.kill(real.daemon('slurmctld'))
      await until(
        'the planner has noticed',
        () => elastic.allocating.output.stderr,
        text => text.includes('Nothing is known of what waits and runs'),
      )
      expect((await elastic.allocations()).some(({ state }) => state === 'running')).toBe(true)
      real.startAgain()
      expect((await elastic.allocating.ended).code).toBe(0)
      expect(await elastic.jobsBy()).toMatchObject({ completed: 41 })
      await isEmpty()
    })
  }
})
