import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Profile } from '../../runner/hpc/types.ts'
import { withSchedulers } from '../../runner/slurm/add-to-workflow.ts'
import { type GenerateOptions, generateSpec } from '../../runner/slurm/generate.ts'
import { readSpecFile } from '../../runner/spec-file.ts'
import { partitionOf } from '../hpc-profiles/partitions.ts'

const PROFILE: Profile = {
  name: 'hill',
  displayName: 'Hill',
  source: 'user',
  signs: { clusterNames: [], hostnames: [], env: {} },
  partitions: [partitionOf('all'), partitionOf('gpu', { gpusPerNode: 4 })],
}

const OPTIONS: GenerateOptions = {
  account: 'physics',
  walltimeStrategy: 'max-job-runtime',
  walltimeMultiplier: 1.5,
  groupBy: 'partition',
  singleAllocation: false,
  overwrite: false,
  actions: true,
}

/** Three stages; the middle one is a sweep on GPUs. */
const FLOW = `name: flow # what it is
# small ones
resource_requirements:
  - { name: small, num_cpus: 1, memory: 1g, runtime: PT1H }
  - { name: gpu, num_cpus: 1, num_gpus: 1, memory: 1g, runtime: PT30M }
jobs:
  - { name: prepare, command: 'true', resource_requirements: small }
  - name: train_{i}
    command: 'true'
    resource_requirements: gpu
    depends_on: [prepare]
    parameters: { i: "1:30" }
  - { name: sum, command: 'true', depends_on_regexes: ['^train_'] }
actions:
  - { trigger_type: on_workflow_start, action_type: run_commands, commands: ['date'] }
`

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'headrace-generate-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

function write(text: string, name = 'flow.yaml'): string {
  writeFileSync(join(directory, name), text)
  return name
}
const generate = (name: string, options: Partial<GenerateOptions> = {}) =>
  generateSpec(name, directory, PROFILE, { ...OPTIONS, ...options })

/** What a generated file means. */
async function meaningOf(text: string, name: string) {
  const { workflow, errors } = await readSpecFile(write(text, name), directory)
  expect(errors).toEqual([])
  return workflow!
}

describe('generateSpec()', () => {
  test('adds schedulers, binds jobs and asks for nodes stage by stage; what else the file says stays', async () => {
    const { text } = await generate(write(FLOW))
    expect(text).toContain('name: flow # what it is')
    expect(text).toContain('# small ones')
    const workflow = await meaningOf(text, 'made.yaml')
    expect(workflow.slurmSchedulers).toMatchObject([
      { name: 'all_scheduler', account: 'physics', partition: 'all', walltime: '01:30:00', gres: undefined },
      { name: 'gpu_scheduler', partition: 'gpu', walltime: '00:45:00', gres: 'gpu:4' },
    ])
    const schedulers = workflow.jobs.map(job => job.scheduler)
    expect(schedulers).toEqual([0, ...Array(30).fill(1), 0])
    expect(
      workflow.actions.map(({ triggerType, jobs, config }) => [triggerType, config.actionType, jobs.length]),
    ).toEqual([
      ['on_workflow_start', 'run_commands', 0],
      ['on_jobs_ready', 'schedule_nodes', 1],
      ['on_jobs_ready', 'schedule_nodes', 1],
      ['on_jobs_ready', 'schedule_nodes', 30],
    ])
  })

  test.each(['json', 'json5', 'kdl'] as const)('writes %s that means the same', async to => {
    const name = write(FLOW)
    const [yaml, other] = [await generate(name), await generate(name, { to })]
    expect(await meaningOf(other.text, `other.${to}`)).toEqual(await meaningOf(yaml.text, 'made.yaml'))
  })

  test('means what submit makes of the same file without writing one', async () => {
    const { text, plan, workflow } = await generate(write(FLOW))
    const made = await meaningOf(text, 'made.yaml')
    expect(withSchedulers(workflow, plan.groups)).toEqual(made)
  })

  test('leaves schedulers of the file alone unless told, and replaces actions that ask for nodes with them', async () => {
    const { text } = await generate(write(FLOW))
    const again = write(text, 'again.yaml')
    await expect(generate(again)).rejects.toThrow('--overwrite')
    expect((await generate(again, { overwrite: true })).text).toBe(text)
    const without = await meaningOf((await generate(again, { overwrite: true, actions: false })).text, 'without.yaml')
    expect(without.actions.map(action => action.config.actionType)).toEqual(['run_commands'])
  })

  test('leaves jobs with labels to the runners that have these', async () => {
    const text = FLOW.replace("name: prepare, command: 'true'", "name: prepare, command: 'true', labels: [disk]")
    const { text: made, plan, workflow } = await generate(write(text))
    const meant = await meaningOf(made, 'made.yaml')
    expect(meant.jobs[0]!.scheduler).toBeUndefined()
    expect(meant.actions.filter(action => action.config.actionType === 'schedule_nodes').map(one => one.jobs)).toEqual([
      Array.from({ length: 30 }, (_, index) => index + 1),
      [31],
    ])
    expect(withSchedulers(workflow, plan.groups)).toEqual(meant)
  })

  test('refuses a file that is not valid, and jobs that fit nowhere', async () => {
    await expect(generate(write('name: x\njobs: 3\n'))).rejects.toThrow('flow.yaml:2')
    const wide = FLOW.replace('num_gpus: 1', 'num_gpus: 9')
    await expect(generate(write(wide))).rejects.toThrow(/gpu \(30 jobs\): .*9 GPUs of 4/)
  })
})
