import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { hostRuntime } from '../../runner/schedulers/runtime.ts'
import { createSge } from '../../runner/schedulers/sge.ts'
import type { Scheduler } from '../../runner/schedulers/types.ts'
import { BUNDLE, openProgram, type Program } from '../cli/program.ts'
import { type RealScheduler, startReal } from '../helpers/real-schedulers.ts'
import { createSite, listUntil, type Site, submitted } from '../schedulers/cluster.ts'
import { type Control, startControl, until } from './control.ts'

/** A runner inside jobs of a real Grid Engine, whose h_vmem limits the address space. */
describe('a runner in a job of Grid Engine', () => {
  let real: RealScheduler
  let scheduler: Scheduler
  let program: Program
  let control: Control
  let site: Site
  beforeAll(async () => {
    real = startReal('sge')
    scheduler = createSge(hostRuntime(real.env))
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

  async function prepared(commands: string[]) {
    const workflowId = await control.create(commands)
    const request = site.request({
      command: `${process.execPath} ${BUNDLE} run ${workflowId} --url ${control.url} --output-dir ${site.directory}/output`,
      cores: 2,
      memoryBytes: 2 * 2 ** 30,
    })
    return { workflowId, request }
  }

  it('S37 runs under a limit of memory for each slot, and keeps that to itself', async () => {
    const environment = join(site.directory, 'environment')
    const { workflowId, request } = await prepared([`env >${environment}; ulimit -v >>${environment}`])
    const id = await submitted(scheduler, request)
    await listUntil(scheduler, id, rows => rows.every(row => row.state === 'gone'))
    expect((await control.summary(workflowId)).jobs_by_status.completed).toBe(1)
    expect(await control.nodes(workflowId)).toMatchObject([{ num_cpus: 2, memory_gb: 2, num_gpus: 0 }])
    const seen = readFileSync(environment, 'utf8')
    expect(seen).toMatch(/^2097152$/m)
    expect(seen).not.toMatch(/^(NODE_OPTIONS|SGE_TASK_ID|HEADRACE_ALLOCATION_)/m)
  })

  it('goes on after it was rescheduled under a job, which has not failed', async () => {
    const marker = join(site.directory, 'first')
    // Its processes may live on, as Grid Engine ends the runner alone; then they are found again.
    const gate = join(site.directory, 'gate')
    const { workflowId, request } = await prepared([`touch ${marker}; until [ -e ${gate} ]; do sleep 0.1; done`])
    const id = await submitted(scheduler, request)
    await until(
      () => existsSync(marker),
      found => found,
    )
    const { status, stderr } = spawnSync('qmod', ['-rj', id], { env: real.env, encoding: 'utf8', timeout: 30_000 })
    expect(status, stderr).toBe(0)
    await listUntil(scheduler, id, rows => rows.some(row => row.word === 'Rr'))
    site.open()
    await until(
      () => control.summary(workflowId),
      ({ is_complete }) => is_complete === true,
      120_000,
    )
    expect((await control.summary(workflowId)).jobs_by_status.completed).toBe(1)
    const attempts = await control.results(workflowId)
    expect(attempts.at(-1)?.status).toBe('completed')
    expect(attempts.every(({ status }) => status !== 'failed')).toBe(true)
  })
})
