import { execFileSync, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { expectedAt } from '../../runner/completion/find.ts'
import { SCRIPTS } from '../../runner/completion/scripts.ts'
import { VERBS } from '../../runner/verbs.ts'
import { skipUnless } from '../helpers/skip.ts'
import { openProgram, type Program } from './program.ts'

const BUNDLE = fileURLToPath(new URL('../../dist/runner.cjs', import.meta.url))

/** What may stand at the last word, in short: words joined, or what the shell or the control plane knows. */
async function shapes(...words: string[]): Promise<string[]> {
  const expected = await expectedAt(VERBS, words.slice(0, -1), words.at(-1)!)
  return expected.map(one => (one.kind === 'words' ? one.words.map(word => word.text).join(' ') : one.kind))
}

describe('expectedAt()', () => {
  test('offers every command first', async () => {
    const [commands] = await shapes('')
    for (const name of Object.keys(VERBS)) expect(commands!.split(' ')).toContain(name)
  })

  test('offers the verbs of a noun, and what its usual verb takes', async () => {
    expect(await shapes('tasks', '')).toEqual(['get active wait'])
    expect(await shapes('results', '')).toEqual(['get delete list', 'workflows'])
  })

  test('offers options where one is begun', async () => {
    const [options] = await shapes('wait', '3', '--t')
    expect(options!.split(' ')).toEqual(expect.arrayContaining(['--timeout', '--url', '--help']))
  })

  test.each([
    [['status', ''], 'workflows'],
    [['logs', ''], 'jobs'],
    [['jobs', 'delete', 'a', ''], 'jobs'],
    [['create', ''], 'files'],
    [['status', '--output-dir', ''], 'directories'],
    [['status', '--format', ''], 'table json'],
    [['status', '--format=j'], '--format=table --format=json'],
    [['jobs', 'list', '--status', ''], expect.stringContaining('completed failed')],
    [['files', 'create', '--name', 'x', ''], 'workflows'],
  ])('knows what stands at the end of %j', async (words, expected) => {
    expect(await shapes(...words)).toContainEqual(expected)
  })

  test.each([[['status', '3', '']], [['nonsense', '']], [['wait', '--timeout', '']], [['jobs', 'nonsense', '']]])(
    'offers nothing at the end of %j',
    async words => {
      expect(await shapes(...words)).toEqual([])
    },
  )

  test('looks for jobs in the workflow that the line names', async () => {
    expect(await expectedAt(VERBS, ['logs', '--workflow', 'flow'], '')).toEqual([{ kind: 'jobs', workflow: 'flow' }])
  })
})

describe('runner completions', () => {
  let program: Program
  beforeAll(async () => {
    program = openProgram()
    const job = (name: string) => `  - { name: "${name}", command: 'true' }\n`
    writeFileSync(join(program.directory, 'flow.yaml'), `name: 'my flow'\njobs:\n${job('solve')}${job("it's")}`)
    await program.run(['create', 'flow.yaml'])
  })
  afterAll(() => program.close())

  const words = async (...line: string[]) => (await program.run(['completions', 'words', '--', ...line])).stdout

  test('words answers with names and ids of workflows and jobs', async () => {
    expect(await words('status', '')).toContain('my flow\tid 1\n1\tmy flow\n')
    expect(await words('explain', 's')).toBe('solve\tid 1\n')
    expect(await words('logs', '--workflow', 'my flow', 'it')).toBe("it's\tid 2\n")
  })

  test('words is silent where nobody can be asked', async () => {
    for (const line of [
      ['status', '--url', 'http://127.0.0.1:1', ''],
      ['status', '--output-dir', 'nowhere', ''],
      ['explain', '--workflow', 'none', ''],
    ]) {
      expect(await program.run(['completions', 'words', '--', ...line])).toEqual({ code: 0, stdout: '', stderr: '' })
    }
  })

  test('bash completes commands, names that need quotes, values and files', () => {
    const complete = (...line: string[]): string[] => {
      const script = [
        SCRIPTS.bash,
        `runner() { '${process.execPath}' '${BUNDLE}' "$@"; }`,
        `COMP_WORDS=(runner ${line.map(word => `'${word}'`).join(' ')})`,
        `COMP_CWORD=${line.length}`,
        '_runner_complete',
        `printf "%s\\n" "\${COMPREPLY[@]}"`,
      ].join('\n')
      const text = execFileSync('bash', ['-c', script], { cwd: program.directory, encoding: 'utf8' })
      return text.split('\n').filter(entry => entry !== '')
    }
    expect(complete('stat')).toEqual(['status'])
    expect(complete('status', 'm')).toEqual(['my\\ flow'])
    expect(complete('explain', 'it')).toEqual(["it\\'s"])
    expect(complete('create', 'fl')).toEqual(['flow.yaml'])
    expect(complete('status', '--format', '=', 'j')).toEqual(['json'])
    expect(complete('status', '--format', '=')).toEqual(['table', 'json'])
  })

  test('bash loads its script without a complaint', () => {
    const { status, stderr } = spawnSync('bash', ['--norc', '-euc', SCRIPTS.bash], { encoding: 'utf8' })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  })

  const has = (shell: string): boolean => spawnSync(shell, ['-c', 'true']).status === 0

  skipUnless(has('zsh'), 'zsh completion: no zsh')('zsh loads its script and knows the command', () => {
    const script = `autoload -U compinit; compinit -u -d "${program.directory}/dump"\n${SCRIPTS.zsh}\nprint $_comps[runner]`
    expect(execFileSync('zsh', ['-fc', script], { encoding: 'utf8' })).toBe('_runner\n')
  })

  skipUnless(has('fish'), 'fish completion: no fish')('fish completes commands and names', () => {
    const script = `${SCRIPTS.fish}\nfunction runner; '${process.execPath}' '${BUNDLE}' $argv; end\ncomplete -C 'runner explain s'`
    const options = { cwd: program.directory, encoding: 'utf8' } as const
    expect(execFileSync('fish', ['--no-config', '-c', script], options)).toContain('solve\tid 1')
  })
})
