import { execFileSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type AccountedSlurm, startAccountedSlurm } from './slurm-accounts.ts'
import { openSubmitting, type Submitting } from './submitting.ts'

let accounted: AccountedSlurm
let user: Submitting

beforeAll(async () => {
  accounted = await startAccountedSlurm()
  user = await openSubmitting(accounted.slurm)
}, 600_000)
afterAll(async () => {
  user?.close()
  await accounted?.stop()
})

const SCHEDULED = `execution_config: { mode: slurm }
slurm_schedulers:
  - { name: s, account: any, nodes: 2, walltime: '00:05:00', ntasks_per_node: 1, extra: --cpus-per-task=4, mem: 1g }
actions:
  - { trigger_type: on_workflow_start, action_type: schedule_nodes, scheduler: s, scheduler_type: slurm }
`
/** Holds so many MiB for so many seconds. */
const hold = (mib: number, seconds: number): string =>
  `python3 -c 'import time; x = b"1" * ${mib << 20}; time.sleep(${seconds})'`

type Step = { name: string; state: string; peak: number | undefined }

/** What sacct itself says of the steps of jobs, in plain numbers. */
function stepsOf(allocation: number): Step[] {
  const format = ['-o', 'JobName,State,MaxRSS']
  const text = execFileSync('sacct', ['-D', '-P', '-n', '--noconvert', '-j', String(allocation), ...format], {
    env: accounted.slurm.env,
    encoding: 'utf8',
  })
  return text
    .trim()
    .split('\n')
    .map(line => line.split('|'))
    .filter(([name]) => name!.startsWith('hr_j'))
    .map(([name, state, peak]) => ({ name: name!, state: state!, peak: peak === '' ? undefined : Number(peak) }))
}

type Kept = { job_id: number; run_id: number; attempt_id: number; slurm_job_id: string; max_rss_bytes?: number }

/** What the runner has kept, in sacct's words, without anybody having asked for it. */
async function keptOf(workflowId: number): Promise<Omit<Step, 'state'>[]> {
  const { items } = await user.documentOf(`slurm-stats list ${workflowId}`)
  return items.map((kept: Kept) => ({
    name: `hr_j${kept.job_id}_r${kept.run_id}_a${kept.attempt_id}`,
    peak: kept.max_rss_bytes,
  }))
}

const byName = (a: { name: string }, b: { name: string }): number => (a.name < b.name ? -1 : 1)

describe('jobs as steps of a Slurm that keeps accounts', () => {
  test('have what sacct says of each of them kept, and fail for the reason that Slurm ended them', async () => {
    const id = await user.submit(
      'steps.yaml',
      `name: accounts
resource_monitor: { sample_interval_seconds: 1, jobs: { enabled: true, granularity: summary } }
resource_requirements:
  - { name: wide, num_cpus: 2, num_nodes: 2, memory: 200m, runtime: PT1M }
  - { name: small, num_cpus: 1, memory: 200m, runtime: PT1M }
  - { name: less-than-srun, num_cpus: 1, memory: 5m, runtime: PT1M }
  - { name: tight, num_cpus: 1, memory: 100m, runtime: PT1M }
jobs:
  - { name: holds, command: '${hold(140, 3).replaceAll("'", "''")}', resource_requirements: small, scheduler: s }
  - { name: wide, command: '${hold(40, 3).replaceAll("'", "''")}', resource_requirements: wide, scheduler: s }
  - { name: fails, command: 'sleep 2; exit 7', resource_requirements: less-than-srun, scheduler: s }
  - { name: dies, command: 'sleep 2; kill -9 $$', resource_requirements: small, scheduler: s }
  - { name: greedy, command: '${hold(150, 3).replaceAll("'", "''")}', resource_requirements: tight, scheduler: s, retry: { max: 1, backoff_seconds: 0, on: [oom], memory_factor: 2 } }
  - { name: short, command: 'true', resource_requirements: small, scheduler: s, depends_on: [holds] }
  - { name: half, command: '[ $SLURM_PROCID = 1 ] && exit 3; sleep 60', resource_requirements: wide, scheduler: s }
${SCHEDULED}`,
    )
    await user.untilCounted(id, 'completed', 4)
    await user.untilCounted(id, 'failed', 3)
    await user.untilEmpty()
    const { items } = await user.documentOf(`results list ${id} --all-runs`)
    const ends = items.map(({ job_id, attempt_id, return_code, failure_class }: Record<string, unknown>) => [
      job_id,
      attempt_id,
      return_code,
      failure_class,
    ])
    expect(ends.sort()).toEqual([
      [1, 1, 0, undefined],
      [2, 1, 0, undefined],
      [3, 1, 7, 'exit_code'],
      [4, 1, 137, 'signal'],
      [5, 1, 137, 'oom'],
      [5, 2, 0, undefined],
      [6, 1, 0, undefined],
      // Of the task that failed, not of the other, which was ended for it.
      [7, 1, 3, 'exit_code'],
    ])
    // What the runner can see is srun's.
    expect(items.filter((one: object) => 'peak_memory_bytes' in one || 'avg_memory_bytes' in one)).toEqual([])
    const [allocation] = (await user.allocationsOf(id)).map(one => one.scheduler_id)
    const steps = stepsOf(allocation!)
    expect(steps).toHaveLength(8)
    const kept = await keptOf(id)
    expect(kept.sort(byName)).toEqual(steps.map(({ name, peak }) => ({ name, peak })).sort(byName))
    const peaks = Object.fromEntries(kept.map(({ name, peak }) => [name, peak ?? 0]))
    expect(peaks.hr_j1_r0_a1).toBeGreaterThan(140 << 20)
    expect(peaks.hr_j2_r0_a1).toBeGreaterThan(40 << 20)
    const usage = await user.documentOf(`slurm usage ${id}`)
    expect(usage).toMatchObject({ count: 1, slurm_stats_stored: 8 })
    expect(usage.items).toMatchObject([{ scheduler_id: allocation, state: 'COMPLETED', nodes: 2, cpus: 8 }])
    expect(usage.items[0].max_rss_bytes).toBe(Math.max(...Object.values(peaks), usage.items[0].max_rss_bytes))
  })

  test('have the accounts of both lives of an allocation that was requeued', async () => {
    const id = await user.submit(
      'requeue.yaml',
      `name: again
resource_requirements:
  - { name: small, num_cpus: 1, memory: 200m, runtime: PT1M }
jobs:
  - { name: first, command: '${hold(100, 8).replaceAll("'", "''")}', resource_requirements: small, scheduler: s }
${SCHEDULED}`,
    )
    await user.untilCounted(id, 'running', 1)
    const [allocation] = (await user.allocationsOf(id)).map(one => one.scheduler_id)
    // Accounts are a moment late; what a running step holds is sstat's to say.
    await vi.waitFor(
      async () => {
        const [running] = (await user.documentOf(`slurm usage ${id}`)).items
        expect(running).toMatchObject({ scheduler_id: allocation, state: 'RUNNING', nodes: 2 })
        expect(running.max_rss_bytes).toBeGreaterThan(100 << 20)
      },
      { timeout: 10_000, interval: 500 },
    )
    execFileSync('scontrol', ['requeue', String(allocation)], { env: accounted.slurm.env })
    await user.untilCounted(id, 'completed', 1)
    await user.untilEmpty()
    const steps = stepsOf(allocation!)
    expect(steps).toHaveLength(2)
    expect((await keptOf(id)).sort(byName)).toEqual(steps.map(({ name, peak }) => ({ name, peak })).sort(byName))
    const usage = await user.documentOf(`slurm usage ${id}`)
    expect(usage.items.map((one: { state: string }) => one.state)).toEqual(['REQUEUED', 'COMPLETED'])
  })
})
