import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { localTime } from '../../runner/ad-hoc/local-time.ts'
import { FIXTURES, readFixtureJson } from '../spec/fixture-env.ts'
import { openProgram, type Program } from './program.ts'

let program: Program
beforeEach(() => {
  program = openProgram()
})
afterEach(() => program.close())

const execSpec = (...words: string[]) => program.run(['exec-spec', ...words])
const outputOf = (name: string) => readFileSync(join(program.directory, 'headrace_output', 'job_stdio', name), 'utf8')

type ExecCase = {
  argv: string[]
  commands?: string[]
  words?: string[][]
  monitor?: Record<string, unknown> | null
  stdio?: Record<string, unknown>
  name?: string
  description?: string
  exit?: number
}

const cases = readFixtureJson<ExecCase[]>('exec/cases.json').map(item => ({ ...item, line: item.argv.join(' ') }))

const wordsOf = (command: string): string[] =>
  execFileSync('bash', ['-c', `printf '%s\\0' ${command}`], { encoding: 'utf8' })
    .split('\0')
    .slice(0, -1)

const withoutNulls = (object: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null))

describe('runner exec-spec --dry-run', () => {
  test.each(cases)('as the fixtures say: $line', async ({ argv, ...expected }) => {
    cpSync(join(FIXTURES, 'exec'), program.directory, { recursive: true })
    const dashes = argv.indexOf('--')
    const at = dashes < 0 ? argv.length : dashes
    const { code, stdout, stderr } = await execSpec(...argv.slice(0, at), '--dry-run', ...argv.slice(at))
    if (expected.exit !== undefined) {
      expect({ code, stdout, lines: stderr.trimEnd().split('\n').length }).toEqual({
        code: expected.exit,
        stdout: '',
        lines: 1,
      })
      return
    }
    const document = JSON.parse(stdout)
    const commands = document.jobs.map((job: { command: string }) => job.command)
    if (expected.words) expect(commands.map(wordsOf)).toEqual(expected.words)
    else expect(commands).toEqual(expected.commands)
    if (expected.monitor === null) expect(document.resource_monitor).toEqual({ enabled: false })
    else expect(withoutNulls(document.resource_monitor)).toEqual(withoutNulls(expected.monitor!))
    expect(document.execution_config?.stdio).toEqual(expected.stdio)
    expect(document.description).toBe(expected.description)
    expect(document.name).toMatch(expected.name ?? /^exec_\d{8}_\d{6}$/)
    expect(existsSync(join(program.directory, 'headrace_output'))).toBe(false)
  })

  test('prints a workflow file that can be run', async () => {
    const { stdout } = await execSpec('--dry-run', '--param', 'n=[a b,c]', '--', 'echo', '{n}')
    writeFileSync(join(program.directory, 'flow.json'), stdout)
    expect((await program.run(['run', 'flow.json'])).code).toBe(0)
    expect(outputOf('job_wf1_j1_r0_a1.o')).toBe('a b\n')
  })
})

describe('runner exec-spec', () => {
  test('runs one job per command and combination, and waits', async () => {
    const { code, stdout } = await execSpec(
      '-c',
      'echo {n}',
      '-c',
      'echo two',
      '--param',
      'n=1:2',
      '-j',
      '1',
      '-n',
      'mine',
    )
    expect(code).toBe(0)
    expect(stdout).toMatch(/^Workflow 1 \(mine\), run 0: all 4 jobs completed/)
    expect([1, 2, 3, 4].map(job => outputOf(`job_wf1_j${job}_r0_a1.o`))).toEqual(['1\n', '2\n', 'two\n', 'two\n'])
  })

  test('makes a new workflow each time, also of the same words', async () => {
    await execSpec('-c', 'true')
    expect((await execSpec('-c', 'true')).stdout).toContain('Workflow 2 ')
  })

  test('ends with 1 when a job failed, the others run all the same', async () => {
    const { code, stdout } = await execSpec('-c', 'exit 3', '-c', 'true', '--format', 'json')
    expect(code).toBe(1)
    expect(JSON.parse(stdout)).toEqual({
      workflow_id: 1,
      status: 'failed',
      had_failures: true,
      had_terminations: false,
    })
    expect(JSON.parse((await execSpec('-c', 'true', '--format', 'json')).stdout)).toEqual({
      workflow_id: 2,
      status: 'completed',
      had_failures: false,
      had_terminations: false,
    })
  })

  test('reads commands from standard input, and puts output where it is told', async () => {
    const ended = await program.run(
      ['exec-spec', '-C', '-', '--stdio', 'combined', '-o', 'there'],
      {},
      '# both\necho out; echo err >&2\n',
    )
    expect(ended.code).toBe(0)
    expect(readFileSync(join(program.directory, 'there/job_stdio/job_wf1_j1_r0_a1.log'), 'utf8')).toBe('out\nerr\n')
  })

  test('names the command to use when a workflow file is given', async () => {
    expect((await execSpec('flow.yaml')).stderr).toBe(
      'Cannot run: "flow.yaml" belongs to no option; to run a workflow file: run flow.yaml\n',
    )
  })
})

describe('localTime()', () => {
  test('gives a name that sorts', () => {
    expect(localTime(new Date(2026, 0, 3, 4, 5, 6))).toBe('20260103_040506')
  })
})
