import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { type ExecOptions, expandExec, quoteForShell, readCommandLines } from '../../api/core/spec/exec.ts'

// The cases of the fixtures are those of the command line: tests/cli/exec-spec.test.ts.

const expand = (options: Partial<ExecOptions>) =>
  expandExec({ commands: [], params: [], name: 'x', ...options }, path => (path === 'seeds' ? '3\n5\n' : undefined))

function commandsOf(options: Partial<ExecOptions>): string[] {
  const result = expand(options)
  if ('fault' in result) throw new Error(result.fault.message)
  return result.workflow.jobs.map(job => job.command)
}

const wordsOf = (command: string): string[] =>
  execFileSync('bash', ['-c', `printf '%s\\0' ${command}`], { encoding: 'utf8' })
    .split('\0')
    .slice(0, -1)

describe('expandExec()', () => {
  test('makes a job per command and combination that cancels nothing', () => {
    const result = expand({ commands: ['a {s}', 'b'], params: ['s=@seeds'] })
    const jobs = 'workflow' in result ? result.workflow.jobs : []
    expect(jobs.map(({ name, command }) => `${name}: ${command}`)).toEqual([
      'job1: a 3',
      'job2: a 5',
      'job3: b',
      'job4: b',
    ])
    expect(jobs.every(job => !job.cancelOnBlockingJobFailure)).toBe(true)
  })

  test('puts values into words before it quotes them', () => {
    const [command = ''] = commandsOf({ params: [`who=["it's; me"]`], words: ['echo', 'hi {who}'] })
    expect(wordsOf(command)).toEqual(['echo', "hi it's; me"])
  })

  test.each([
    ['usage', {}],
    ['usage', { commands: ['a'], words: ['b'] }],
    ['usage', { commands: ['a'], strayWords: ['b'] }],
    ['input', { commandsFile: { path: 'none', text: undefined } }],
    ['input', { commandsFile: { path: 'empty', text: '# nothing\n' } }],
    ['input', { commands: ['a'], params: ['n=@none'] }],
    ['input', { commands: ['a'], params: ['a{b=1'] }],
  ] as const)('tells a mistake of %s from others: %o', (kind, options) => {
    const result = expand(options)
    expect('fault' in result && result.fault.kind).toBe(kind)
  })
})

describe('quoteForShell()', () => {
  test('keeps plain words readable', () => {
    expect(quoteForShell('--flag=x/y.nc')).toBe('--flag=x/y.nc')
  })
})

describe('readCommandLines()', () => {
  test('skips blank lines and comments, keeps a later #', () => {
    expect(readCommandLines('# all\n\n  run a # note\r\nrun b\n')).toEqual(['run a # note', 'run b'])
  })
})
