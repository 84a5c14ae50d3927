import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { hostRuntime } from '../../runner/schedulers/runtime.ts'
import { createSlurm } from '../../runner/schedulers/slurm.ts'
import { submitOnce } from '../../runner/schedulers/submit.ts'
import type { AllocationRequest, Scheduler } from '../../runner/schedulers/types.ts'
import { BUNDLE, openProgram, type Program } from '../cli/program.ts'
import { type RealScheduler, startReal } from '../helpers/real-schedulers.ts'
import { createSite, listUntil, type Site, submitted } from '../schedulers/cluster.ts'
import { type Control, startControl, until } from './control.ts'

/** A runner inside allocations of a real Slurm: what it finds, and what it does when it is ended from outside. */
describe('a runner in an allocation of Slurm', () => {
  let real: RealScheduler
  let scheduler: Scheduler
  let program: Program
  let control: Control
  let site: Site
  beforeAll(async () => {
    real = startReal('slurm')
    scheduler = createSlurm(hostRuntime(real.env))
    program = openProgram()
    control = await startControl(program)
  })
  afterAll(() => {
    control?.close()
    program?.close()
    real?.stop()
  })
  beforeEach(() => {
    site = createSite()
  })
  afterEach(async () => {
    site.open()
    await real.clear()
    site.remove()
  })

  const slurm = (command: string, ...words: string[]): string => {
    const { status, stdout, stderr } = spawnSync(command, words, { env: real.env, encoding: 'utf8', timeout: 30_000 })
    if (status !== 0) throw new Error(`${command} ${words.join(' ')}: ${stderr}`)
    return stdout
  }

  /** A workflow of the given commands, and the request of an allocation that runs it. */
  async function prepared(commands: string[], changes: Partial<AllocationRequest> = {}) {
    const workflowId = await control.create(commands)
    const output = join(site.directory, 'output')
    mkdirSync(output, { recursive: true })
    const request = site.request({
      command: `${process.execPath} ${BUNDLE} run ${workflowId} --url ${control.url} --output-dir ${output}`,
      environment: { TORC_API_URL: control.url },
      cores: 3,
      memoryBytes: 2 ** 30,
      ...changes,
    })
    return { workflowId, request }
  }
  const output = (request: AllocationRequest): string =>
    slurm('bash', '-c', `cat ${request.directory}/${request.name}.o*`)

  it('finds cores, memory, GPUs and the end by itself, hides its place from jobs, and leaves when all is done', async () => {
    const environment = join(site.directory, 'environment')
    const nested = join(site.directory, 'nested')
    writeFileSync(join(site.directory, 'nested.sh'), `#!/bin/bash\nenv >${nested}.tmp; mv ${nested}.tmp ${nested}\n`)
    const inner = `sbatch --wait --mem-per-cpu=100 -o /dev/null ${site.directory}/nested.sh`
    const { workflowId, request } = await prepared([`env >${environment}`, inner], {
      gpus: 1,
      array: { first: 1, last: 2 },
    })
    const id = await submitted(scheduler, request)
    await until(
      () => control.summary(workflowId),
      ({ is_complete }) => is_complete === true,
    )
    await listUntil(scheduler, id, rows => rows.every(row => row.state === 'gone'))
    expect((await control.summary(workflowId)).jobs_by_status.completed).toBe(2)
    const nodes = await control.nodes(workflowId)
    for (const node of nodes) expect(node).toMatchObject({ num_cpus: 3, num_gpus: 1, memory_gb: 1, is_active: false })
    const seen = readFileSync(environment, 'utf8')
    expect(seen).toMatch(/^SLURM_JOB_ID=/m)
    expect(seen).not.toMatch(/^(SLURM_ARRAY_|SLURM_MEM_|HEADRACE_ALLOCATION_|HEADRACE_SCHEDULER)/m)
    const nestedEnvironment = readFileSync(nested, 'utf8')
    expect(nestedEnvironment).toMatch(/^SLURM_MEM_PER_CPU=100$/m)
    expect(nestedEnvironment).not.toMatch(/^SLURM_(MEM_PER_NODE|ARRAY_)/m)
  })

  it('spends the loss budget, not the retries, when it is requeued under a job', async () => {
    const marker = join(site.directory, 'first')
    // The first attempt would go on for ever.
    const { workflowId, request } = await prepared([`[ -e ${marker} ] && exit 0; touch ${marker}; sleep 600`])
    const id = await submitted(scheduler, request)
    await until(
      () => existsSync(marker),
      found => found,
    )
    slurm('scontrol', 'requeue', id)
    await until(
      () => control.summary(workflowId),
      ({ is_complete }) => is_complete === true,
      120_000,
    )
    expect((await control.summary(workflowId)).jobs_by_status.completed, output(request)).toBe(1)
    const attempts = await control.results(workflowId)
    expect(attempts.map(({ status, failure_class }) => failure_class ?? status)).toEqual([
      'allocation_end',
      'completed',
    ])
    await listUntil(scheduler, id, rows => rows.every(row => row.state === 'gone'))
  })

  it('survives preemption by a better partition', async () => {
    const marker = join(site.directory, 'first')
    const { workflowId, request } = await prepared([`[ -e ${marker} ] && exit 0; touch ${marker}; sleep 600`], {
      queue: 'preempt',
      cores: 8,
    })
    await submitted(scheduler, request)
    await until(
      () => existsSync(marker),
      found => found,
    )
    slurm('sbatch', '-p', 'debug', '-N2', '--exclusive', '-t', '1', '-o', '/dev/null', '--wrap', 'sleep 2')
    await until(
      () => control.summary(workflowId),
      ({ is_complete }) => is_complete === true,
      120_000,
    )
    const attempts = await control.results(workflowId)
    expect(attempts.map(({ status, failure_class }) => failure_class ?? status)).toEqual([
      'allocation_end',
      'completed',
    ])
  })

  it('gives its jobs back when it is canceled, for the next one', async () => {
    const marker = join(site.directory, 'first')
    const { workflowId, request } = await prepared([`[ -e ${marker} ] && exit 0; touch ${marker}; sleep 600`])
    const id = await submitted(scheduler, request)
    await until(
      () => existsSync(marker),
      found => found,
    )
    expect(await scheduler.cancel(id, { kind: 'all' })).toEqual({ kind: 'done' })
    await until(
      () => control.summary(workflowId),
      ({ jobs_by_status }) => jobs_by_status.ready === 1,
    )
    await submitted(scheduler, site.request({ ...request, name: 'hr-99999999' }))
    await until(
      () => control.summary(workflowId),
      ({ is_complete }) => is_complete === true,
    )
    expect((await control.summary(workflowId)).jobs_by_status.completed).toBe(1)
  })

  it("ends before its walltime does, and its jobs are nobody else's failure", async () => {
    const marker = join(site.directory, 'first')
    const { workflowId, request } = await prepared([`[ -e ${marker} ] && exit 0; touch ${marker}; sleep 600`], {
      walltimeSeconds: 60,
    })
    const id = await submitted(scheduler, request)
    await until(
      () => control.summary(workflowId),
      ({ jobs_by_status }) => jobs_by_status.ready === 1 && existsSync(marker),
    )
    const [first] = await control.results(workflowId)
    expect(first?.failure_class, output(request)).toBe('allocation_end')
    await listUntil(scheduler, id, rows => rows.every(row => row.state === 'gone'))
    // Of its own accord; Slurm would have said TIMEOUT.
    expect(slurm('scontrol', 'show', 'job', id)).toContain('JobState=COMPLETED')
    await submitted(scheduler, site.request({ ...request, name: 'hr-88888888' }))
    await until(
      () => control.summary(workflowId),
      ({ is_complete }) => is_complete === true,
    )
  })

  it('starts one runner on each node of an allocation', async () => {
    const { workflowId, request } = await prepared(
      Array.from({ length: 6 }, () => 'sleep 2'),
      { nodes: 2, perNode: true, cores: 1 },
    )
    const id = await submitted(scheduler, request)
    await until(
      () => control.summary(workflowId),
      ({ is_complete }) => is_complete === true,
    )
    expect(await control.nodes(workflowId), output(request)).toHaveLength(2)
    await listUntil(scheduler, id, rows => rows.every(row => row.state === 'gone'))
  })

  it('W11 has one array in the end when the controller was frozen during the submission', async () => {
    const request = site.request({ array: { first: 1, last: 2 } })
    process.kill(real.daemon('slurmctld'), 'SIGSTOP')
    const attemptedAtMs = Date.now()
    try {
      expect((await scheduler.submit(request)).kind).toBe('unknown')
    } finally {
      process.kill(real.daemon('slurmctld'), 'SIGCONT')
    }
    const again = () => submitOnce(scheduler, request, { attemptedAtMs, clock: Date.now })
    const outcome = await until(again, ({ kind }) => kind === 'submitted')
    const id = outcome.kind === 'submitted' ? outcome.id : ''
    site.open()
    await listUntil(scheduler, id, rows => rows.every(row => row.state === 'gone'))
    const listing = await scheduler.list({ ids: [], names: [request.name] })
    expect(listing.kind === 'listed' && new Set(listing.elements.map(row => row.allocation))).toEqual(new Set([id]))
    expect(site.ended()).toEqual([1, 2])
  })
})
