import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type ExecOptions, expandExec, quoteForShell, readCommandLines } from '../../api/core/spec/exec.ts'
import { FIXTURES, readFixtureJson } from './fixture-env.ts'

interface ExecCase {
  argv: string[]
  commands?: string[]
  words?: string[][]
  monitor?: Record<string, unknown> | null
  stdio?: Record<string, unknown>
  name?: string
  description?: string
  exit?: number
}

const folder = join(FIXTURES, 'exec')
const readText = (path: string) =>
  existsSync(join(folder, path)) ? readFileSync(join(folder, path), 'utf8') : undefined

/** Just enough of a command line for the cases. */
function parseArguments(argv: string[]): ExecOptions {
  const separator = argv.indexOf('--')
  const words = separator < 0 ? undefined : argv.slice(separator + 1)
  const rest = separator < 0 ? [...argv] : argv.slice(0, separator)
  const options = { commands: [] as string[], params: [] as string[], strayWords: [] as string[] }
  const single: Partial<ExecOptions> = {}
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const value = () => rest.shift() ?? ''
    if (word === '-c') options.commands.push(value())
    else if (word === '--param') options.params.push(value())
    else if (word === '-C') {
      const path = value()
      single.commandsFile = { path, text: readText(path) }
    } else if (word === '-n') single.name = value()
    else if (word === '--description') single.description = value()
    else if (word === '--link') single.link = value()
    else if (word === '--monitor') single.monitor = value()
    else if (word === '--monitor-compute-node') single.monitorComputeNode = value()
    else if (word === '-i') single.sampleIntervalSeconds = Number(value())
    else if (word === '--generate-plots') single.generatePlots = true
    else if (word === '--stdio') single.stdio = value()
    else options.strayWords.push(word)
  }
  return { name: 'exec_20260101_000000', ...options, ...single, words }
}

function wordsOf(command: string): string[] {
  const printed = execFileSync('bash', ['-c', `printf '%s\\0' ${command}`], { encoding: 'utf8' })
  return printed.split('\0').slice(0, -1)
}

const cases = readFixtureJson<ExecCase[]>('exec/cases.json').map(item => ({ ...item, line: item.argv.join(' ') }))

describe('expandExec()', () => {
  test.each(cases.filter(({ exit }) => exit === undefined))('expands: exec $line', expected => {
    const result = expandExec(parseArguments(expected.argv), readText)
    if ('fault' in result) throw new Error(result.fault.message)
    const { workflow } = result
    const commands = workflow.jobs.map(job => job.command)
    if (expected.words) expect(commands.map(wordsOf)).toEqual(expected.words)
    else expect(commands).toEqual(expected.commands)
    expect(workflow.jobs.map(job => job.name)).toEqual(commands.map((_, index) => `job${index + 1}`))
    expect(workflow.jobs.every(job => !job.cancelOnBlockingJobFailure)).toBe(true)
    expect(workflow.resourceMonitorConfig ?? null).toEqual(expected.monitor)
    expect(workflow.executionConfig?.stdio).toEqual(expected.stdio)
    if (expected.name) expect(workflow.name).toBe(expected.name)
    expect(workflow.description).toBe(expected.description)
  })

  test.each(cases.filter(({ exit }) => exit !== undefined))(
    'refuses with exit status $exit: exec $line',
    ({ argv, exit }) => {
      const result = expandExec(parseArguments(argv), readText)
      const kind = 'fault' in result ? result.fault.kind : 'none'
      expect({ usage: 2, input: 1, none: 0 }[kind]).toBe(exit)
    },
  )

  test('puts values into words before it quotes them', () => {
    const result = expandExec(parseArguments(['--param', `who=["it's; me"]`, '--', 'echo', 'hi {who}']), readText)
    const command = 'workflow' in result ? result.workflow.jobs[0]?.command : undefined
    expect(wordsOf(command ?? '')).toEqual(['echo', "hi it's; me"])
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
