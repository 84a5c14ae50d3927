import type { ChildProcess } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type Ended, openProgram, type Program } from '../cli/program.ts'
import { misfits, type Schema } from '../helpers/json-schema.ts'
import { type FakePrograms, openFakePrograms } from './fake-programs.ts'

const SCHEMAS: { $defs: Record<string, Schema>; commands: Record<string, Schema> } = JSON.parse(
  readFileSync(new URL('../../docs/cli-output.schema.json', import.meta.url), 'utf8'),
)

const FLOW = `name: flow
jobs:
  - { name: first, command: 'true' }
  - { name: then, command: 'true', depends_on: [first] }
`

let program: Program
let slurm: FakePrograms
let server: ChildProcess

beforeAll(async () => {
  program = openProgram()
  slurm = openFakePrograms()
  writeFileSync(join(program.directory, 'flow.yaml'), FLOW)
  server = program.start(['server', '--port', '0'])
  const info = join(program.directory, 'headrace_output', 'headrace.json')
  await vi.waitUntil(() => existsSync(info), { timeout: 20_000 })
})
afterAll(() => {
  server.kill()
  slurm.close()
  program.close()
})

/** Runs a command with Slurm's programs, and no configuration but the test's. */
const run = (...words: string[]): Promise<Ended> =>
  program.run(words, { ...slurm.env, XDG_CONFIG_HOME: program.directory })

/** The document of a command, which has to be as the schema says. */
async function documentOf(command: string, words: string, code = 0) {
  const ended = await run(...words.split(' '), '--format', 'json')
  expect({ code: ended.code, stderr: ended.stderr }).toMatchObject({ code })
  const document = JSON.parse(ended.stdout)
  expect(misfits(document, SCHEMAS.commands[command]!, SCHEMAS.$defs)).toEqual([])
  return document
}

const idsInQueue = (): number[] => Object.keys(slurm.queue()).map(Number)

describe('runner hpc', () => {
  test('list, detect, show and match print documents of their schema', async () => {
    expect((await documentOf('hpc list', 'hpc list')).items.map((one: { name: string }) => one.name)).toContain(
      'kestrel',
    )
    expect(await documentOf('hpc detect', 'hpc detect')).toMatchObject({ detected: true, name: 'hill', source: 'live' })
    expect((await documentOf('hpc show', 'hpc show')).partitions).toMatchObject([{ name: 'debug', max_nodes: 2 }])
    const match = await documentOf('hpc match', 'hpc match --cpus 104 --walltime 8h --profile kestrel')
    expect(match.items[0]).toMatchObject({ name: 'standard', fits: true })
    await documentOf('hpc match', 'hpc match --cpus 9', 1)
  })

  test('match says why nothing fits, and which names there are', async () => {
    expect(await run('hpc', 'match', '--cpus', '9')).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('9 CPUs of 8'),
    })
    expect(await run('hpc', 'show', 'kestral')).toMatchObject({ code: 2, stderr: expect.stringContaining('kestrel') })
  })
})

describe('runner slurm and runner submit, one after the other on one workflow', () => {
  test('generate writes a file with schedulers, and plan-allocations compares ways', async () => {
    await documentOf('slurm generate', 'slurm generate flow.yaml --account physics -o made.yaml')
    expect(await run('slurm', 'generate', 'flow.yaml')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--account'),
    })
    const twice = await run('slurm', 'generate', 'flow.yaml', '--account', 'a', '-o', 'made.yaml')
    expect(twice).toMatchObject({ code: 2, stderr: expect.stringContaining('--force') })
    const plan = await documentOf('slurm plan-allocations', 'slurm plan-allocations flow.yaml --account physics')
    expect(plan.items[0]).toMatchObject({ predicted_start: expect.any(String), recommended: true })
  })

  test('submit makes the workflow and asks for the nodes of what is ready, and of nothing that is blocked', async () => {
    const document = await documentOf('submit', 'submit made.yaml')
    expect(document).toMatchObject({ workflow_id: 1, status: 'success', scheduler_ids: [100] })
    expect(idsInQueue()).toEqual([100])
  })

  test('schedule-nodes asks for more, or shows the script', async () => {
    const shown = await documentOf('slurm schedule-nodes', 'slurm schedule-nodes 1 --dry-run')
    expect(shown.script).toContain('#SBATCH --account=physics')
    await documentOf('slurm schedule-nodes', 'slurm schedule-nodes 1 -n 2 -j night')
    expect(idsInQueue()).toEqual([100, 101, 102])
    expect(slurm.queue()[102]).toMatch(/^night-hr-/)
  })

  test('S35: an unknown scheduler is refused before anything is written', async () => {
    const unknown = await run('slurm', 'schedule-nodes', '1', '--scheduler-config-id', '99')
    expect(unknown).toMatchObject({ code: 3, stderr: expect.stringContaining('99') })
    expect(idsInQueue()).toEqual([100, 101, 102])
  })

  test('S36: a refusal says why and what was taken; the same command asks again later', async () => {
    slurm.refuse('sbatch', 'sbatch: error: Batch job submission failed: Invalid account')
    const refused = await run('submit', 'made.yaml', '--format', 'json')
    expect(refused).toMatchObject({ code: 3, stderr: expect.stringContaining('Invalid account') })
    const { workflow_id: id, status } = JSON.parse(refused.stdout)
    expect(status).toBe('failed')
    slurm.allow('sbatch')
    expect((await documentOf('submit', `submit ${id}`)).scheduler_ids).toEqual([103])
    await run('cancel', String(id))
    expect(idsInQueue()).toEqual([100, 101, 102])
  })

  test('sync-status closes what is gone, and nothing while the queue does not answer', async () => {
    slurm.end(101)
    slurm.refuse('squeue', 'slurm_load_jobs error: Unable to contact slurm controller (connect failure)')
    const away = await run('slurm', 'sync-status', '1')
    expect(away).toMatchObject({ code: 3, stderr: expect.stringContaining('nothing is changed') })
    slurm.allow('squeue')
    const dry = await documentOf('slurm sync-status', 'slurm sync-status 1 --dry-run')
    expect(dry).toMatchObject({ dry_run: true, items: [{ scheduler_id: 101, status: 'canceled' }], alive: 2 })
    const done = await documentOf('slurm sync-status', 'slurm sync-status 1')
    expect(done.items).toMatchObject([{ scheduler_id: 101, ready_job_ids: [], failed_job_ids: [] }])
    expect((await documentOf('slurm sync-status', 'slurm sync-status 1')).items).toEqual([])
  })

  test('regenerate plans for what has still to run, and submits when asked', async () => {
    await documentOf('slurm regenerate', 'slurm regenerate 1 --dry-run')
    const done = await documentOf('slurm regenerate', 'slurm regenerate 1 --submit --partition debug')
    expect(done).toMatchObject({ jobs: 2, items: [{ account: 'physics' }], submitted: [104] })
  })

  test('parse-logs finds trouble and fails with it, usage reads the accounting', async () => {
    const log = join(program.directory, 'headrace_output', 'slurm_output_wf1_sl100.e')
    writeFileSync(log, 'fine\nslurmstepd: error: Detected 1 oom-kill event(s) in StepId=100.batch\n')
    const found = await documentOf('slurm parse-logs', 'slurm parse-logs 1', 1)
    expect(found.items).toMatchObject([{ allocation: '100', kind: 'out_of_memory', line: 2 }])
    const usage = await documentOf('slurm usage', 'slurm usage 1')
    // Two of the steps in the recording are called after jobs that this workflow has.
    expect(usage).toMatchObject({ count: 1, slurm_stats_stored: 2 })
  })

  test('cancel takes all allocations of the workflow out of the queue', async () => {
    expect(await run('cancel', '1')).toMatchObject({ code: 0, stdout: expect.stringContaining('100, 102, 104') })
    expect(idsInQueue()).toEqual([])
  })

  test('a file without schedulers is planned when an account is named, and refused otherwise', async () => {
    expect(await run('submit', 'flow.yaml')).toMatchObject({ code: 2, stderr: expect.stringContaining('--account') })
    expect((await documentOf('submit', 'submit flow.yaml --account physics')).scheduler_ids).toEqual([105])
  })

  test('without a server nothing is submitted, since compute nodes could not reach the database', async () => {
    const refused = await run('submit', 'made.yaml', '--db', 'other.db')
    expect(refused).toMatchObject({ code: 3, stderr: expect.stringContaining('other.db') })
    expect(idsInQueue()).toEqual([105])
  })
})
