import { rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openProgram, type Program } from './program.ts'

const FLOW = `
name: flow
files:
  - { name: raw, path: raw.txt }
  - { name: half, path: half.txt }
  - { name: whole, path: whole.txt }
jobs:
  - { name: first, command: 'cp raw.txt half.txt', input_files: [raw], output_files: [half] }
  - { name: second, command: 'cp half.txt whole.txt', input_files: [half], output_files: [whole] }
  - { name: aside, command: 'true' }
`

let program: Program
beforeEach(() => {
  program = openProgram()
  write('flow.yaml', FLOW)
  write('raw.txt', 'one')
})
afterEach(() => program.close())

const write = (name: string, text: string) => writeFileSync(join(program.directory, name), text)
const run = (...words: string[]) => program.run(words)
const json = async (...words: string[]) => JSON.parse((await run(...words, '--format', 'json')).stdout)

describe('runner workflows init', () => {
  test('makes jobs ready that wait for nothing, once', async () => {
    await run('create', 'flow.yaml')
    expect(await json('workflows', 'init', 'flow')).toMatchObject({
      run_id: 0,
      jobs_by_status: { ready: 2, blocked: 1 },
    })
    expect(await run('workflows', 'init')).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('--force starts all over'),
    })
    expect(await json('workflows', 'init', '--force')).toMatchObject({ run_id: 1, jobs_by_status: { ready: 2 } })
  })

  test('refuses while an input that no job makes is missing, unless it is told not to look', async () => {
    await run('create', 'flow.yaml')
    rmSync(join(program.directory, 'raw.txt'))
    expect(await run('workflows', 'init')).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('the input file raw is not there: raw.txt'),
    })
    expect((await run('workflows', 'init', '--skip-checks')).code).toBe(0)
  })
})

describe('runner workflows reinit', () => {
  beforeEach(async () => {
    expect((await run('run', 'flow.yaml')).code).toBe(0)
  })
  const names = (document: { jobs: { name: string }[] }) => document.jobs.map(job => job.name)

  test('finds nothing to do when nothing has changed', async () => {
    expect(names(await json('workflows', 'reinit', '1', '--dry-run'))).toEqual([])
  })

  test('says which jobs a changed input concerns, and runs them and those below again', async () => {
    utimesSync(join(program.directory, 'raw.txt'), 2_000_000_000, 2_000_000_000)
    const dry = await json('workflows', 'reinit', '1', '--dry-run')
    expect(dry.jobs).toEqual([{ job_id: 1, name: 'first', reason: 'its input raw.txt is changed' }])
    expect((await json('status')).jobs_by_status.completed).toBe(3)

    await run('workflows', 'reinit', '1')
    expect(await json('status')).toMatchObject({ run_id: 1, jobs_by_status: { completed: 1, ready: 1, blocked: 1 } })
    const again = await json('run', 'flow.yaml')
    expect(again).toMatchObject({ run_id: 1, counts: { completed: 3 } })
  })

  test('makes an output again that is gone', async () => {
    rmSync(join(program.directory, 'whole.txt'))
    expect(names(await json('workflows', 'reinit', '1'))).toEqual(['second'])
    expect((await json('status')).jobs_by_status).toMatchObject({ completed: 2, ready: 1 })
  })
})

describe('runner workflows reset-status', () => {
  test('--failed-only --reinitialize opens failed jobs and what hangs below', async () => {
    write('bad.yaml', "name: bad\njobs:\n  - { name: a, command: exit 3 }\n  - { name: b, command: 'true' }\n")
    await run('run', 'bad.yaml')
    expect(await json('workflows', 'reset-status', 'bad', '--failed-only', '--reinitialize')).toMatchObject({
      updated_count: 1,
      reinitialized: true,
    })
    expect((await json('status')).jobs_by_status).toMatchObject({ ready: 1, completed: 1 })
  })
})

describe('workflows and jobs', () => {
  test('are found by name, the newest of this name, and by id', async () => {
    await run('create', 'flow.yaml')
    await run('create', 'flow.yaml')
    expect(await json('status', 'flow')).toMatchObject({ workflow_id: 2 })
    expect(await json('status', '1')).toMatchObject({ workflow_id: 1 })
    expect(await json('jobs', 'get', 'second', '--workflow', '1')).toMatchObject({ workflow_id: 1, name: 'second' })
    expect(await run('status', 'none')).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/^Cannot find a workflow named none in .*: runner list shows those there are\n$/),
    })
  })

  test('--limit, --offset and --sort-by give a part of a list', async () => {
    await run('create', 'flow.yaml')
    const { items, count } = await json(
      'jobs',
      'list',
      '--sort-by',
      'name',
      '--reverse-sort',
      '--limit',
      '1',
      '--offset',
      '1',
    )
    expect({ count, name: items[0].name }).toEqual({ count: 1, name: 'first' })
  })

  test('a change keeps what it does not name', async () => {
    await run('create', 'flow.yaml')
    await run('jobs', 'update', 'first', '--priority', '9')
    expect(await json('jobs', 'get', 'first')).toMatchObject({ priority: 9, command: 'cp raw.txt half.txt' })
    await run('files', 'update', '1', '--path', 'other.txt')
    expect(await json('files', 'get', '1')).toMatchObject({
      name: 'raw',
      path: 'other.txt',
      st_mtime: expect.any(Number),
    })
  })

  test('a deletion stops at the first that cannot be deleted', async () => {
    await run('create', 'flow.yaml')
    const { code, stdout, stderr } = await run('jobs', 'delete', 'aside', '99', 'second')
    expect({ code, stdout }).toEqual({ code: 3, stdout: 'Deleted job 3.\n' })
    expect(stderr).toContain('99')
    expect((await json('jobs', 'list')).count).toBe(2)
  })
})

test('runner doctor says what is wrong, and ends with 1 then', async () => {
  expect(await run('doctor')).toMatchObject({ code: 0, stderr: '' })
  const { code, stdout } = await run('doctor', '--url', 'http://127.0.0.1:1')
  expect({ code, stdout }).toEqual({ code: 1, stdout: expect.stringMatching(/^bad {3}server +.*127\.0\.0\.1:1/m) })
  write('headrace.toml', 'num-cpus = "many"\n')
  const configured = await run('doctor')
  expect(configured).toMatchObject({ code: 1, stdout: expect.stringMatching(/^bad {3}configuration +.*many$/m) })
})
