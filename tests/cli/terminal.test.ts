import { execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { skipUnless } from '../helpers/skip.ts'
import { waitUntil } from '../launcher/harness.ts'
import { openProgram, type Program } from './program.ts'

const BUNDLE = fileURLToPath(new URL('../../dist/runner.cjs', import.meta.url))
const RUNNER = `'${process.execPath}' '${BUNDLE}'`
const hasScript = spawnSync('script', ['--version']).status === 0

let program: Program
beforeAll(async () => {
  program = openProgram()
  const jobs = Array.from({ length: 2_000 }, (_, k) => `  - { name: job_${k}, command: 'true' }\n`).join('')
  writeFileSync(join(program.directory, 'flow.yaml'), `name: wide\njobs:\n${jobs}`)
  await program.run(['create', 'flow.yaml'])
})
afterAll(() => program.close())

describe('output that nobody reads any more', () => {
  test.each([
    'jobs list',
    'jobs list --format json',
    'workflows plan',
    '--help',
    'jobs --help',
    'config show',
    'completions words -- logs ""',
  ])('of `%s` ends it quietly', async words => {
    const script = `set -o pipefail; ${RUNNER} ${words} | head -1 > /dev/null`
    const { stderr } = await promisify(execFile)('bash', ['-c', script], { cwd: program.directory })
    expect(stderr).toBe('')
  })

  test('on a full device is an error in one line: what came out is not the whole', async () => {
    const script = `${RUNNER} jobs list --format json > /dev/full`
    await expect(promisify(execFile)('bash', ['-c', script], { cwd: program.directory })).rejects.toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/^Cannot write to standard output: ENOSPC[^\n]+\n$/),
    })
  })
})

/** Runs a command on a terminal of its own, 80 columns wide, and sees what it draws. */
function onTerminal(words: string) {
  const command = `stty cols 80 rows 24; exec ${RUNNER} ${words}`
  const child = spawn('script', ['-qefc', command, '/dev/null'], {
    cwd: program.directory,
    env: { ...process.env, TERM: 'xterm', NO_COLOR: '', HEADRACE_API_URL: '' },
  })
  const seen = { text: '' }
  child.stdout.on('data', chunk => {
    seen.text += chunk
  })
  return { child, seen, ended: once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]> }
}

const draws = (seen: { text: string }) =>
  waitUntil(
    'the picture is drawn',
    () => seen.text,
    text => text.includes('wide (workflow 1)'),
  )

describe('runner top', () => {
  skipUnless(hasScript, 'runner top on a terminal: no script(1)')(
    'draws on the whole terminal and gives it back at q',
    async () => {
      const { child, seen, ended } = onTerminal('top --interval 0.2')
      await draws(seen)
      expect(seen.text).toContain('\u001b[?1049h')
      child.stdin.write('q')
      expect((await ended)[0]).toBe(0)
      expect(seen.text.trimEnd().endsWith('\u001b[?25h\u001b[?1049l')).toBe(true)
    },
  )

  skipUnless(hasScript, 'runner top on a closed terminal: no script(1)')(
    'ends when its terminal is closed',
    async () => {
      const { child, seen, ended } = onTerminal('top --interval 0.2; echo ended with $? >> ended.txt')
      await draws(seen)
      child.kill('SIGKILL')
      await ended
      expect(seen.text).not.toContain('    at ')
    },
  )

  test('prints one picture into a pipe', async () => {
    const { code, stdout, stderr } = await program.run(['top'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain('wide (workflow 1)')
    expect(stdout).not.toContain('\u001b')
  })
})

describe('colours', () => {
  test('are left out in a pipe', async () => {
    expect((await program.run(['status'], { NO_COLOR: undefined })).stdout).not.toContain('\u001b')
  })

  skipUnless(hasScript, 'colours on a terminal: no script(1)')(
    'are for terminals, unless NO_COLOR is set',
    async () => {
      const status = async (env: string) => {
        const { seen, ended } = onTerminal('status')
        await ended
        const plain = spawn('script', ['-qefc', `${env} ${RUNNER} status`, '/dev/null'], { cwd: program.directory })
        let text = ''
        plain.stdout.on('data', chunk => {
          text += chunk
        })
        await once(plain, 'close')
        return { colored: seen.text, plain: text }
      }
      const { colored, plain } = await status('NO_COLOR=1')
      expect(colored).toContain('\u001b[1m')
      expect(plain).not.toContain('\u001b[')
    },
  )
})
