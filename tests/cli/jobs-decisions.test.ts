import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openProgram, type Program } from './program.ts'

let program: Program
beforeEach(() => {
  program = openProgram()
})
afterEach(() => program.close())

const run = async (...words: string[]) => program.run([...words])
const json = async (...words: string[]) => JSON.parse((await run(...words, '--format', 'json')).stdout)
const statuses = async () => {
  const { items } = await json('jobs', 'list')
  return Object.fromEntries(items.map((job: { name: string; status: string }) => [job.name, job.status]))
}

describe('jobs that wait for a decision', () => {
  beforeEach(async () => {
    const jobs = ["  - { name: solve, command: 'exit 3' }", "  - { name: below, command: 'true', depends_on: [solve] }"]
    writeFileSync(
      join(program.directory, 'flow.yaml'),
      `name: flow\nuse_pending_failed: true\njobs:\n${jobs.join('\n')}\n`,
    )
    await run('run', 'flow.yaml')
  })

  test('runner jobs fail gives one up, and what hangs below it is canceled', async () => {
    expect(await statuses()).toEqual({ solve: 'pending_failed', below: 'blocked' })
    expect(await json('jobs', 'fail', 'solve')).toMatchObject({
      count: 1,
      items: [{ name: 'solve', status: 'failed' }],
    })
    expect(await statuses()).toEqual({ solve: 'failed', below: 'canceled' })
  })

  test('runner jobs put-back brings one back with another command', async () => {
    expect((await run('jobs', 'put-back', 'solve', '--command', 'true')).stdout).toBe('Job 1 (solve) is ready.\n')
    expect((await json('run', 'flow.yaml')).counts).toMatchObject({ completed: 2 })
    expect(await json('jobs', 'attempts', 'solve')).toMatchObject({
      count: 2,
      items: [
        { attempt_id: 1, return_code: 3 },
        { attempt_id: 2, return_code: 0 },
      ],
    })
  })
})

describe('runner jobs bulk', () => {
  beforeEach(async () => {
    const jobs = ['train_1', 'train_2', 'report'].map(name => `  - { name: ${name}, command: 'test -e repaired' }\n`)
    writeFileSync(join(program.directory, 'flow.yaml'), `name: flow\njobs:\n${jobs.join('')}`)
    await run('run', 'flow.yaml')
  })

  test('counts and changes nothing with --dry-run, then changes what fits', async () => {
    const words = ['jobs', 'bulk', 'retry', '--status', 'failed', '--pattern', 'train_*']
    expect(await json(...words, '--dry-run')).toMatchObject({ matched_count: 2, dry_run: true })
    expect(await statuses()).toEqual({ train_1: 'failed', train_2: 'failed', report: 'failed' })
    expect((await run(...words)).stdout).toBe('Workflow 1: 2 jobs found, 2 changed by retry.\n')
    expect(await statuses()).toEqual({ train_1: 'ready', train_2: 'ready', report: 'failed' })
  })

  test('gives another priority and other labels', async () => {
    await run('jobs', 'bulk', 'priority', '--name', 'report', '--priority', '7')
    await run('jobs', 'bulk', 'labels', '--all', '--add', 'north,cold')
    const { items } = await json('jobs', 'list')
    expect(items.map((job: { priority: number; labels: string[] }) => [job.priority, job.labels])).toEqual([
      [0, ['cold', 'north']],
      [0, ['cold', 'north']],
      [7, ['cold', 'north']],
    ])
  })

  test.each([
    [['retry'], 'Cannot retry jobs as none are named: give a condition such as --status failed, or --all'],
    [['explode', '--all'], 'Cannot read the operation as it must be cancel or reset or retry or priority or labels'],
    [['priority', '--all'], 'Cannot go on without --priority'],
    [['labels', '--all'], 'Cannot go on without --set, --add or --remove'],
    [['cancel', '--status', 'done'], 'Cannot read --status as it must be'],
  ])('%j is a usage error', async (words, message) => {
    expect(await run('jobs', 'bulk', ...words)).toMatchObject({ code: 2, stderr: expect.stringContaining(message) })
  })
})
