import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readText, waitUntil } from '../launcher/harness.ts'
import { openProgram, type Program } from './program.ts'

let program: Program
beforeEach(() => {
  program = openProgram()
})
afterEach(() => program.close())

const write = (name: string, text: string) => writeFileSync(join(program.directory, name), text)

/** A job that prints, waits for a file named `go`, and prints again. */
const GATED = `
name: gated
jobs:
  - { name: gate, command: 'echo before; while [ ! -e go ]; do sleep 0.05; done; echo after; echo wrong >&2' }
`

/** Starts the gated workflow and waits for its job to have printed. */
async function startGated() {
  write('flow.yaml', GATED)
  const run = program.start(['run', 'flow.yaml'])
  const ended = once(run, 'close')
  const log = join(program.directory, 'headrace_output', 'job_stdio', 'job_wf1_j1_r0_a1.o')
  await waitUntil(
    'the job has printed',
    () => (existsSync(log) ? readText(log) : ''),
    text => text === 'before\n',
  )
  return { open: () => write('go', ''), ended }
}

/** Runs a command and collects what it prints, without waiting for its end. */
function startReading(words: string[]) {
  const child = program.start(words)
  const seen = { stdout: '', stderr: '' }
  child.stdout!.on('data', chunk => {
    seen.stdout += chunk
  })
  child.stderr!.on('data', chunk => {
    seen.stderr += chunk
  })
  return { child, seen, ended: once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]> }
}

describe('runner wait', () => {
  test('waits for a run in another process, and ends with 0 when all jobs completed', async () => {
    const { open, ended } = await startGated()
    const wait = startReading(['wait', 'gated', '--poll-interval', '0.1', '--format', 'json'])
    open()
    expect((await wait.ended)[0]).toBe(0)
    expect(JSON.parse(wait.seen.stdout)).toMatchObject({ is_complete: true, jobs_by_status: { completed: 1 } })
    await ended
  })

  test('ends with 5 when the time is up, and says how far the workflow is', async () => {
    const { open, ended } = await startGated()
    const { code, stdout } = await program.run(['wait', '--timeout', '1s', '--poll-interval', '0.2'])
    expect({ code, stdout }).toEqual({ code: 5, stdout: expect.stringContaining('open, 0 of 1 job done') })
    open()
    await ended
  })

  test('ends with 1 when a job failed, and with 4 when the workflow was canceled', async () => {
    write('flow.yaml', "name: bad\njobs: [{ name: a, command: 'exit 3' }]\n")
    await program.run(['run', 'flow.yaml'])
    expect((await program.run(['wait'])).code).toBe(1)
    await program.run(['cancel', '1'])
    expect((await program.run(['wait'])).code).toBe(4)
  })

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('is ended by %s without a word', async signal => {
    const { open, ended } = await startGated()
    const wait = startReading(['wait', '--poll-interval', '0.1'])
    await program.run(['ping'])
    wait.child.kill(signal)
    expect(await wait.ended).toEqual([null, signal])
    expect(wait.seen).toEqual({ stdout: '', stderr: '' })
    open()
    await ended
  })
})

describe('runner events --follow', () => {
  test('shows what happens until nobody serves the workflow any more', async () => {
    const { open, ended } = await startGated()
    const events = startReading(['events', 'gated', '--follow', '--all'])
    await waitUntil(
      'a job has started',
      () => events.seen,
      seen => seen.stdout.includes('job_started'),
    )
    open()
    await ended
    expect((await events.ended)[0]).toBe(0)
    expect(events.seen.stdout).toMatch(/ info {4}job_started job_id=1 job_name=gate/)
    expect(events.seen.stderr).toBe('')
  })

  test('prints one object a line with --format json', async () => {
    const { open, ended } = await startGated()
    const events = startReading(['events', '--follow', '--all', '--format', 'json'])
    await waitUntil(
      'a job has started',
      () => events.seen,
      seen => seen.stdout.includes('job_started'),
    )
    open()
    await Promise.all([ended, events.ended])
    for (const line of events.seen.stdout.trimEnd().split('\n')) {
      expect(JSON.parse(line)).toMatchObject({ workflow_id: 1, severity: expect.any(String) })
    }
  })

  test('says that nobody serves a workflow that does not run', async () => {
    write('flow.yaml', "name: done\njobs: [{ name: a, command: 'true' }]\n")
    await program.run(['run', 'flow.yaml'])
    const { code, stderr } = await program.run(['events', '--follow'])
    expect(code).toBe(3)
    expect(stderr).toMatch(/^Cannot follow workflow 1 as nobody serves .*\n$/)
  })
})

describe('runner logs', () => {
  test('-f goes on until the job has ended, and names the files as soon as there are two', async () => {
    const { open, ended } = await startGated()
    const logs = startReading(['logs', 'gate', '-f'])
    await waitUntil(
      'the first line',
      () => logs.seen,
      seen => seen.stdout === 'before\n',
    )
    open()
    expect((await logs.ended)[0]).toBe(0)
    expect(logs.seen.stdout).toMatch(
      /^before\n==> .*\.o <==\nafter\n==> .*\.e <==\nwrong\n$|^before\nafter\n==> .*\.e <==\nwrong\n$/,
    )
    await ended
  })

  test('shows one of the two, the last lines, and an earlier attempt', async () => {
    write('flow.yaml', "name: two\njobs: [{ name: a, command: 'seq 3; echo bad >&2; test -e repaired' }]\n")
    await program.run(['run', 'flow.yaml'])
    write('repaired', '')
    await program.run(['run', 'flow.yaml', '--retry-failed'])
    const logs = async (...words: string[]) => (await program.run(['logs', 'a', ...words])).stdout
    expect(await logs('--stdout', '-n', '2')).toBe('2\n3\n')
    expect(await logs('--stderr')).toBe('bad\n')
    expect(await logs('--paths', '--stdout')).toBe('headrace_output/job_stdio/job_wf1_j1_r1_a1.o\n')
    expect(await logs('--paths', '--stdout', '--run', '0')).toBe('headrace_output/job_stdio/job_wf1_j1_r0_a1.o\n')
    expect(await program.run(['logs', 'a', '--attempt', '7'])).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('Cannot find log files of job 1 (a) in headrace_output'),
    })
  })
})

describe('runner recover', () => {
  const KILLED = `
name: greedy
resource_requirements: [{ name: small, num_cpus: 1, memory: 100m, runtime: PT1M }]
jobs:
  - { name: greedy, command: 'test -e enough || kill -9 $$', resource_requirements: small }
  - { name: below, command: 'true', depends_on: [greedy] }
`

  test('raises memory, opens the job and what hangs below it, and the same run goes on', async () => {
    write('flow.yaml', KILLED)
    expect((await program.run(['run', 'flow.yaml'])).code).toBe(1)
    const dry = await program.run(['recover', '--dry-run'])
    expect(dry.stdout).toContain('greedy (job 1) runs again: it ran out of memory: small goes from 100m to 150m')
    const sets = async () =>
      JSON.parse((await program.run(['resource-requirements', 'list', '--format', 'json'])).stdout)
    expect((await sets()).items.at(-1).memory).toBe('100m')

    expect((await program.run(['recover'])).code).toBe(0)
    expect((await sets()).items.at(-1).memory).toBe('150m')
    write('enough', '')
    const run = await program.run(['run', 'flow.yaml', '--format', 'json'])
    expect(JSON.parse(run.stdout)).toMatchObject({ run_id: 1, counts: { completed: 2 } })
    expect((await program.run(['recover'])).stdout).toBe('Workflow 1 has no failed jobs.\n')
  })

  test('raises a set for the jobs that ran out of it only: the others keep theirs', async () => {
    const others = ['fine', 'bad'].map(
      name => `  - { name: ${name}, command: test ${name} = fine, resource_requirements: small }`,
    )
    write('flow.yaml', `${KILLED}${others.join('\n')}\n`)
    expect((await program.run(['run', 'flow.yaml'])).code).toBe(1)
    const dry = await program.run(['recover', '--dry-run'])
    expect(dry.stdout).toContain('small: memory 100m to 150m for 1 job; 2 others keep theirs\n')
    const list = async (noun: string) =>
      JSON.parse((await program.run([noun, 'list', '--format', 'json'])).stdout).items as Record<string, unknown>[]
    expect(await list('resource-requirements')).toHaveLength(2)

    for (const to of ['150m', '225m']) {
      expect((await program.run(['recover'])).code).toBe(0)
      const sets = new Map((await list('resource-requirements')).map(({ id, memory }) => [id, memory]))
      const memory = (await list('jobs')).map(job => `${job.name} ${sets.get(job.resource_requirements_id)}`)
      expect(memory.sort()).toEqual(['bad 100m', 'below 1m', 'fine 100m', `greedy ${to}`])
      expect((await program.run(['run', 'flow.yaml'])).code).toBe(1)
    }
    write('enough', '')
    await program.run(['recover'])
    const run = await program.run(['run', 'flow.yaml', '--format', 'json'])
    expect(JSON.parse(run.stdout).counts).toMatchObject({ completed: 3, failed: 1 })
  })

  test('leaves a job at its cap alone, and does not run what hangs below it', async () => {
    write('flow.yaml', `${KILLED}  - { name: other, command: 'test -e enough' }\n`)
    await program.run(['run', 'flow.yaml'])
    const { code, stdout } = await program.run(['recover', '--max-memory', '100m'])
    expect({ code, stdout }).toEqual({ code: 1, stdout: expect.stringContaining('greedy (job 1) is left: ') })
    write('enough', '')
    const run = await program.run(['run', 'flow.yaml', '--format', 'json'])
    expect(JSON.parse(run.stdout).counts).toMatchObject({ completed: 1, failed: 1, canceled: 1 })
  })

  test("raises a job's own time limit after it ran out of it", async () => {
    write('flow.yaml', "name: slow\njobs: [{ name: a, command: 'sleep 2', time_limit: PT1S }]\n")
    expect((await program.run(['run', 'flow.yaml'])).code).toBe(1)
    const { code, stdout } = await program.run(['recover', '--runtime-multiplier', '60'])
    expect(code).toBe(0)
    expect(stdout).toContain('it ran out of its own time limit, which goes from 1 s to 60 s')
    expect((await program.run(['run', 'flow.yaml'])).code).toBe(0)
  })

  test('leaves a timed-out job at its cap as it is while others run again', async () => {
    const jobs = ["  - { name: slow, command: 'sleep 3', time_limit: PT1S }", '  - { name: other, command: exit 3 }']
    write('flow.yaml', `name: capped\njobs:\n${jobs.join('\n')}\n`)
    await program.run(['run', 'flow.yaml'])
    expect((await program.run(['recover', '--max-runtime', '1s'])).code).toBe(1)
    const { stdout } = await program.run(['status', '--format', 'json'])
    expect(JSON.parse(stdout).jobs_by_status).toMatchObject({ terminated: 1, ready: 1 })
  })

  test('refuses while jobs are claimed', async () => {
    write('flow.yaml', `${GATED}  - { name: bad, command: 'exit 3' }\n`)
    const run = program.start(['run', 'flow.yaml', '-j', '2'])
    const ended = once(run, 'close')
    const log = join(program.directory, 'headrace_output', 'job_stdio', 'job_wf1_j2_r0_a1.o')
    await waitUntil(
      'the other job has begun',
      () => existsSync(log),
      found => found,
    )
    await program.run(['wait', '--timeout', '1s'])
    expect(await program.run(['recover'])).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/^Cannot recover workflow 1 as 1 of its jobs are claimed: [^\n]+\n$/),
    })
    write('go', '')
    await ended
  })
})

describe('runner watch', () => {
  test('--run --recover runs the jobs, recovers a bounded number of times, and says how it ended', async () => {
    write('flow.yaml', "name: never\njobs: [{ name: a, command: 'echo x >> tries; exit 3' }]\n")
    await program.run(['create', 'flow.yaml'])
    const words = ['watch', '--run', '--recover', '--max-retries', '2', '--format', 'json']
    const { code, stdout, stderr } = await program.run(words)
    expect(code).toBe(1)
    expect(JSON.parse(stdout).recoveries).toHaveLength(2)
    expect(stderr).toContain('a (job 1) runs again: it failed with return code 3')
  })

  test('--recover heals what can be healed', async () => {
    write('flow.yaml', "name: once\njobs: [{ name: a, command: 'test -e tried || { touch tried; exit 75; }' }]\n")
    await program.run(['create', 'flow.yaml'])
    expect((await program.run(['watch', '--run', '--recover'])).code).toBe(0)
  })

  test('says that no runner works on the workflow', async () => {
    write('flow.yaml', "name: idle\njobs: [{ name: a, command: 'true' }]\n")
    await program.run(['create', 'flow.yaml'])
    const { code, stderr } = await program.run(['watch', '--timeout', '1s', '--poll-interval', '0.2'])
    expect({ code, stderr }).toEqual({ code: 5, stderr: expect.stringContaining('No runner works on this workflow') })
    expect(existsSync(join(program.directory, 'headrace_output', 'job_stdio'))).toBe(false)
  })
})
