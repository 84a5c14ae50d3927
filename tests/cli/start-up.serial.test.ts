import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openProgram, type Program } from './program.ts'

const BUNDLE = fileURLToPath(new URL('../../dist/runner.mjs', import.meta.url))
const ROUNDS = 21
/** What the issue allows, with bare Node as the measure. */
const MOST_RATIO = 1.6

let program: Program
let url = ''
let server: ReturnType<Program['start']>
let empty: string

beforeAll(async () => {
  empty = mkdtempSync(join(tmpdir(), 'headrace-empty-'))
  writeFileSync(join(empty, 'empty.mjs'), '')
  program = openProgram()
  server = program.start(['server', '--port', '0'])
  url = await new Promise((resolve, reject) => {
    server.on('close', reject)
    server.stderr!.on('data', chunk => {
      const found = /http:\S+?(?=,|\s)/.exec(String(chunk))
      if (found !== null) resolve(found[0])
    })
  })
})
afterAll(() => {
  server.kill('SIGKILL')
  program.close()
  rmSync(empty, { recursive: true, force: true })
})

/** Milliseconds that a program takes from start to end. */
function timeOf(words: readonly string[]): number {
  const startedAt = performance.now()
  const { status, stderr } = spawnSync(process.execPath, words, { cwd: program.directory, encoding: 'utf8' })
  if (status !== 0) throw new Error(`It ended with ${status}: ${stderr}`)
  return performance.now() - startedAt
}

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!

describe('start-up', () => {
  test.each([
    ['--help', ['--help']],
    ['--version', ['--version']],
    ['jobs --help', ['jobs', '--help']],
    ['config show', ['config', 'show']],
    ['ping', ['ping', '--url', '']],
  ])('of `runner %s` takes at most 1.6 times that of bare Node', (_, words) => {
    const given = words.map(word => (word === '' ? url : word))
    const bare: number[] = []
    const ours: number[] = []
    // By turns, so that what else the machine does meets both alike.
    for (let round = 0; round < ROUNDS; round++) {
      bare.push(timeOf([join(empty, 'empty.mjs')]))
      ours.push(timeOf([BUNDLE, ...given]))
    }
    expect(median(ours) / median(bare)).toBeLessThanOrEqual(MOST_RATIO)
  })
})
