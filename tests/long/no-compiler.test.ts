import { execFile, execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const LONGEST_MS = 600_000

let copy: string
beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'headrace-fresh-'))
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], { cwd: ROOT })
  // A file that was deleted and not yet committed is still listed.
  const files = listed
    .toString()
    .split('\0')
    .filter(name => name !== '' && existsSync(join(ROOT, name)))
  for (const name of files) {
    mkdirSync(join(copy, dirname(name)), { recursive: true })
    cpSync(join(ROOT, name), join(copy, name))
  }
})
/** Thousands of files, on a disk that may be slow. */
const REMOVED_WITHIN_MS = 300_000
afterAll(() => rmSync(copy, { recursive: true, force: true }), REMOVED_WITHIN_MS)

/** Runs a command in the copy, where there is no compiler and nothing of the caller's own set-up for tests. */
const runThere = (command: string, words: readonly string[]): Promise<{ stdout: string; stderr: string }> =>
  promisify(execFile)(command, words, {
    cwd: copy,
    env: { ...process.env, HEADRACE_CC: 'none', HEADRACE_LONG: undefined, VITEST: undefined, NO_COLOR: '1' },
    timeout: LONGEST_MS,
    maxBuffer: 2 ** 26,
  })

test('a fresh copy without a compiler installs, builds and runs its first example', async () => {
  const installed = await runThere('npm', [
    'install',
    '--no-audit',
    '--no-fund',
    '--prefer-offline',
    '--foreground-scripts',
  ])
  expect(installed.stdout + installed.stderr).toContain('no C compiler, the shell stand-in starts the jobs')
  expect(existsSync(join(copy, 'dist/runner.cjs'))).toBe(true)
  expect(existsSync(join(copy, 'dist/headrace-launcher'))).toBe(false)
  const { stdout } = await runThere('npx', ['--no-install', 'runner', 'run', 'examples/diamond.yaml'])
  expect(stdout).toContain('all 7 jobs completed')
  expect(readFileSync(join(copy, 'diamond_data/report.txt'), 'utf8')).toContain('Trend')
})

test('the tests that start processes pass in the copy, and say what they left out', async () => {
  await runThere('sh', ['scripts/install.sh'])
  const scenarios = ['failures', 'jobs-around', 'run-ends', 'scratch', 'outbox', 'recovery', 'stopping', 'talking']
  const folders = [
    ...['tests/launcher', 'tests/exec/launches', 'tests/exec/beside-jobs'],
    ...scenarios.map(name => `tests/scenarios-runner/${name}`),
  ]
  const { stdout } = await runThere('tests/node_modules/.bin/vitest', [
    'run',
    '--config',
    'tests/vitest.config.ts',
    ...folders,
  ])
  expect(stdout).toMatch(/Tests +\d+ passed/)
  expect(stdout).toContain('no C compiler: the native launcher')
})
