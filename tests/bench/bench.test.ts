import { execFile } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import type { BenchReport } from '../../scripts/bench/bench.ts'
import { CASES } from '../../scripts/bench/cases/all.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const MAIN = join(ROOT, 'scripts/bench/main.mjs')
/** A build would take the program away from tests that run at the same time. */
const AS_BUILT = existsSync(join(ROOT, 'dist/runner.cjs')) ? ['--no-build'] : []
const PATIENCE_MS = 120_000
const NAMES = CASES.map(({ name }) => name)

const directories: string[] = []
afterEach(() => {
  for (const path of directories.splice(0)) rmSync(path, { recursive: true, force: true })
})

function makeDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), 'headrace-bench-test-'))
  directories.push(path)
  return path
}

type Ended = { code: number; stdout: string; stderr: string }

/** Runs the benchmark with its directories below one of ours. */
function bench(words: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const options = { env: { ...process.env, TMPDIR: makeDirectory(), ...env }, timeout: PATIENCE_MS }
  return new Promise(resolve => {
    const child = execFile(process.execPath, [MAIN, ...AS_BUILT, ...words], options, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    )
  })
}

const readReport = ({ stdout, stderr }: Ended): BenchReport => {
  if (stdout === '') throw new Error(stderr)
  return JSON.parse(stdout) as BenchReport
}

test('--quick runs every case, finds its counts right, yields every figure, and leaves no directory behind', {
  timeout: PATIENCE_MS,
}, async () => {
  const directory = makeDirectory()
  const ended = await bench(['--quick', '--json'], { TMPDIR: directory })
  const { machine, quick, cases } = readReport(ended)
  expect(cases.flatMap(({ errors }) => errors)).toEqual([])
  expect(ended.code).toBe(0)
  expect(quick).toBe(true)
  expect(machine).toMatchObject({ node: process.version, durability: 'process' })
  expect(cases.map(({ name }) => name)).toEqual(NAMES)
  for (const { name, rows, notes } of cases) {
    if (notes.length === 0) expect(rows, name).not.toEqual([])
    for (const row of rows) expect(row.value.median, `${name} ${row.contender} ${row.figure}`).toBeGreaterThan(0)
  }
  expect(readdirSync(directory)).toEqual([])
})

test('a program that does not do its work makes its case wrong and the exit code 1', {
  timeout: PATIENCE_MS,
}, async () => {
  const fakes = makeDirectory()
  writeFileSync(join(fakes, 'make'), '#!/bin/sh\n')
  chmodSync(join(fakes, 'make'), 0o755)
  const ended = await bench(['--quick', '--json', 'pipeline', 'latency'], { PATH: `${fakes}:${process.env.PATH}` })
  const { cases } = readReport(ended)
  expect(cases.map(({ name, errors }) => [name, errors])).toEqual([
    ['pipeline', ['make: The pipeline did not make output/setup/setup_out_0000.txt']],
    ['latency', []],
  ])
  expect(cases[0]!.rows.map(({ contender, ratio }) => [contender, ratio])).toContainEqual(['headrace', undefined])
  expect(ended.code).toBe(1)
})

test('rows of tools that are not installed are left out with a line', { timeout: PATIENCE_MS }, async () => {
  const ended = await bench(['--quick', '--json', 'pipeline'], { PATH: pathWithout(['make', 'xargs', 'parallel']) })
  const [pipeline] = readReport(ended).cases
  expect(pipeline!.rows.map(({ contender }) => contender)).toEqual(['headrace'])
  expect(pipeline!.notes).toEqual([
    'no row for make: it is not installed',
    'no row for xargs: it is not installed',
    'no row for parallel: it is not installed',
  ])
  expect(ended.code).toBe(0)
})

/** A folder with a link to every program in PATH but some. */
function pathWithout(names: readonly string[]): string {
  const folder = makeDirectory()
  const seen = new Set(names)
  for (const path of (process.env.PATH ?? '').split(':').filter(existsSync)) {
    for (const name of readdirSync(path)) {
      if (seen.has(name)) continue
      seen.add(name)
      symlinkSync(join(path, name), join(folder, name))
    }
  }
  return folder
}

test('--list names every case without running any', async () => {
  const { code, stdout } = await bench(['--list'])
  expect(code).toBe(0)
  expect(stdout).toMatch(/^pipeline +1,000 chains/m)
  expect(
    stdout
      .trim()
      .split('\n')
      .map(line => line.split(' ')[0]),
  ).toEqual(NAMES)
})

test('a word that is no case ends with 2 and the names there are', async () => {
  const { code, stderr } = await bench(['pipelines'])
  expect(code).toBe(2)
  expect(stderr).toContain('Cannot run pipelines as there is no such case or option')
  expect(stderr).toContain(`Cases: ${NAMES.join(', ')}`)
})
