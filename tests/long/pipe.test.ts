import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { placesIn } from '../../runner/pipe/directory.ts'
import { type RealScheduler, startReal } from '../helpers/real-schedulers.ts'
import { startServer } from '../scenarios-runner/server.ts'
import { openSite } from '../scenarios-runner/site.ts'
import { elementPids, expectAllCompletedOnce, killElement, runningOn, startPipe, tell, until } from './pipe-cluster.ts'

/** Short times, so that what a dead element had is free again in seconds. */
const QUICK = ['--grace', '5s', '--idle-exit', '5s', '--lease', '20s']
/** Sixteen elements fit the memory of the two nodes. Grid Engine limits addresses, of which Node wants more than that. */
const SMALL = { slurm: ['--memory-gb', '0.3'], sge: [] }

/** Jobs of a few tenths of a second; of every ten one fails at its first try. */
const many = (jobs: number, seconds: number): string => `
name: many
retry: { max: 3, backoff_seconds: 1, backoff_max_seconds: 2 }
resource_requirements: [{ name: small, num_cpus: 1, memory: 16m, runtime: PT5S }]
parameters: { i: "1:${jobs}" }
jobs:
  - name: job_{i:03d}
    use_parameters: [i]
    resource_requirements: small
    command: |
      if [ $(( {i} % 10 )) -eq 3 ] && [ "$TORC_ATTEMPT_ID" = 1 ]; then exit 1; fi
      sleep ${seconds}; echo "worker $HEADRACE_PIPE_WORKER"
`

describe.each(['slurm', 'sge'] as const)('pipe runs on a real %s', kind => {
  let real: RealScheduler
  beforeAll(() => {
    real = startReal(kind)
  }, 500_000)
  afterAll(() => real?.stop(), 200_000)

  it('200 jobs with retries and a killed element: each completed once, by elements whose number names no job', async () => {
    const pipe = await startPipe(real, many(200, 0.3), ['--width', '6', '--walltime', '20m', ...QUICK, ...SMALL[kind]])
    await pipe.untilEnded(20)
    killElement(2)
    const { code, run, results } = await pipe.finish()
    expect({ code, state: run.state }).toEqual({ code: 0, state: 'completed' })
    expectAllCompletedOnce(results, 200)
    const failed = results.filter(row => row.status === 'failed')
    expect(failed.map(row => row.attempt_id)).toEqual(Array.from({ length: 20 }, () => 1))
    expect(workersOf(pipe.site.path('headrace_output'), 200)).toEqual([1, 2, 3, 4, 5, 6])
  })

  it('an array that somebody cancels: once all is gone, as many elements are asked for as there are jobs left', async () => {
    // More than all elements hold at once, so that work is left which nobody has claimed.
    const pipe = await startPipe(real, many(150, 1), ['--width', '4', '--walltime', '20m', ...QUICK, ...SMALL[kind]])
    await pipe.untilEnded(10)
    tell(real, kind === 'slurm' ? 'scancel' : 'qdel', await pipe.arrayId())
    const { code, run, results } = await pipe.finish()
    expect(code).toBe(0)
    expectAllCompletedOnce(results, 150)
    expect(run.submissions.map(one => one.reason)).toEqual(['first', 'allocation_lost'])
  })

  it('an allocation that ends before the work: what it cannot finish is done by the next, the retry budget untouched', async () => {
    const pipe = await startPipe(real, many(80, 2), ['--width', '2', '--walltime', '66s', ...QUICK, ...SMALL[kind]])
    const { code, run, results } = await pipe.finish()
    expect(code).toBe(0)
    expectAllCompletedOnce(results, 80)
    expect(run.submissions.length).toBeGreaterThan(1)
    const own = results.filter(row => row.status === 'failed').map(row => row.failure_class)
    expect(own).toEqual(Array.from({ length: 8 }, () => 'exit_code'))
  })

  it('runner pipe cancel: queued and running elements go, jobs are canceled, the second time does nothing', async () => {
    const pipe = await startPipe(real, many(100, 2), [
      ...['--width', '20', '--throttle', '3', '--walltime', '20m'],
      ...QUICK,
      ...SMALL[kind],
    ])
    await pipe.untilEnded(3)
    expect((await pipe.run()).live_runners).toBeLessThanOrEqual(3)
    const words = ['pipe', 'cancel', '1', '--url', pipe.url, '--format', 'json']
    const first = JSON.parse((await pipe.site.runTo(0, words, real.env)).stdout)
    expect(first).toMatchObject({ state: 'canceled', was_open: true })
    const second = JSON.parse((await pipe.site.runTo(0, words, real.env)).stdout)
    expect(second).toMatchObject({ was_open: false, canceled_jobs: 0 })
    const { code, run } = await pipe.finish()
    expect(code).toBe(1)
    expect(run.members.by_status).toMatchObject({ ready: 0, running: 0, pending: 0 })
  })

  if (kind === 'slurm')
    it('the three-stage pipeline through an array of 4 elements takes at most 1.3 times as long as on one runner', async () => {
      const spans = { array: [] as number[], plain: [] as number[] }
      // Side by side in turns, so that what else the machine does falls on both.
      for (let k = 0; k < 2; k++) {
        const words = ['--width', '4', '--walltime', '20m', ...QUICK, ...SMALL[kind]]
        const pipe = await startPipe(real, THREE_STAGES, words)
        const { code, results } = await pipe.finish()
        expect(code).toBe(0)
        expectAllCompletedOnce(results, 600)
        spans.array.push(spanOf(results))
        spans.plain.push(await runPlain())
      }
      const [array, plain] = [Math.min(...spans.array), Math.min(...spans.plain)]
      expect(array / plain, JSON.stringify(spans)).toBeLessThanOrEqual(1.3)
    })

  if (kind === 'slurm')
    it('a requeued element begins again under its number, and every job has one result', async () => {
      const pipe = await startPipe(real, many(60, 1), ['--width', '4', '--walltime', '20m', ...QUICK, ...SMALL[kind]])
      await pipe.untilEnded(5)
      const before = elementPids(3)
      tell(real, 'scontrol', 'requeue', `${await pipe.arrayId()}_3`)
      await until(
        'the element runs again',
        () => elementPids(3),
        pids => pids.some(pid => !before.includes(pid)) || pipe.following.hasEnded(),
      )
      const { code, run, results } = await pipe.finish()
      expect({ code, submissions: run.submissions.length }).toEqual({ code: 0, submissions: 1 })
      expectAllCompletedOnce(results, 60)
    })

  if (kind === 'slurm')
    it('a node set down: its elements are started elsewhere, and every job has one result', async () => {
      const pipe = await startPipe(real, many(150, 3), ['--width', '12', '--walltime', '20m', ...QUICK, ...SMALL[kind]])
      await pipe.untilEnded(12)
      expect(runningOn(real, 'n2').length).toBeGreaterThan(0)
      // Its processes go on, as on a real node whose daemon has died: two copies of one element may run.
      process.kill(real.daemon('slurmd-n2'), 'SIGKILL')
      await until(
        'its elements were taken from it',
        () => runningOn(real, 'n2'),
        left => left.length === 0,
      )
      real.startAgain()
      const { code, results } = await pipe.finish()
      expect(code).toBe(0)
      expectAllCompletedOnce(results, 150)
    })
})

const THREE_STAGES = `
name: three-stage
parameters: { i: "1:200" }
jobs:
  - { name: "setup_{i}", use_parameters: [i], command: "sleep 0.05" }
  - { name: "work_{i}", use_parameters: [i], depends_on: ["setup_{i}"], command: "sleep 0.05" }
  - { name: "post_{i}", use_parameters: [i], depends_on: ["work_{i}"], command: "sleep 0.05" }
`

type Timed = { launched_at: number; exited_at: number }

/** From the first start to the last exit: what was spent in the queue does not count. */
const spanOf = (rows: readonly Timed[]): number =>
  Math.max(...rows.map(row => row.exited_at)) - Math.min(...rows.map(row => row.launched_at))

async function runPlain(): Promise<number> {
  const site = openSite(THREE_STAGES)
  const { server, url } = await startServer(site)
  await site.runTo(0, ['run', 'workflow.yaml', '-j', '4', '--url', url, '--output-dir', 'run_output'])
  server.child.kill('SIGINT')
  await server.ended
  return spanOf(await site.rows<Timed>('SELECT launched_at, exited_at FROM result'))
}

/** The elements that jobs say they ran in, from their logs, and from the result files beside the run. */
function workersOf(outputDir: string, jobs: number): number[] {
  const { result } = placesIn(`${outputDir}/pipe/run_0001`)
  const workers = new Set<number>()
  for (let job = 1; job <= jobs; job++) {
    const attempt = job % 10 === 3 ? 2 : 1
    try {
      workers.add(JSON.parse(readFileSync(result(job, attempt), 'utf8')).worker)
    } catch {
      // A lost attempt has none; the job's next attempt has.
    }
  }
  return [...workers].sort((a, b) => a - b)
}
