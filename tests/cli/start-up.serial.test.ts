import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openProgram, type Program } from './program.ts'

const BUNDLE = fileURLToPath(new URL('../../dist/runner.cjs', import.meta.url))
const ROUNDS = 21
/** What the issue allows, with bare Node as the measure. */
const MOST_RATIO = 1.6

let program: Program
let url = ''
let server: ReturnType<Program['start']>
let bare: string

/** What bare Node needs to ask a server twice over one connection, as `ping` does. */
const ASKING = `
import { Agent, get } from 'node:http'
const agent = new Agent({ keepAlive: true })
const ask = path => new Promise(resolve => get(process.argv[2] + path, { agent }, response => {
  let text = ''
  response.on('data', chunk => { text += chunk })
  response.on('end', () => resolve(text))
}))
await ask('/v1/version')
process.stdout.write(await ask('/v1/ping'))
agent.destroy()
`

beforeAll(async () => {
  bare = mkdtempSync(join(tmpdir(), 'headrace-bare-'))
  writeFileSync(join(bare, 'empty.mjs'), '')
  writeFileSync(join(bare, 'asking.mjs'), ASKING)
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
  rmSync(bare, { recursive: true, force: true })
})

/** Milliseconds that a program takes from start to end. */
function timeOf(words: readonly string[]): number {
  // Certificates that Node reads at every start make everything slow alike, and would hide what is ours.
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: undefined }
  const startedAt = performance.now()
  const { status, stderr } = spawnSync(process.execPath, words, { cwd: program.directory, env, encoding: 'utf8' })
  if (status !== 0) throw new Error(`It ended with ${status}: ${stderr}`)
  return performance.now() - startedAt
}

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!

describe('start-up', () => {
  test.each([
    ['--help', ['--help'], 'empty.mjs'],
    ['--version', ['--version'], 'empty.mjs'],
    ['jobs --help', ['jobs', '--help'], 'empty.mjs'],
    ['run --help', ['run', '--help'], 'empty.mjs'],
    ['config show', ['config', 'show'], 'empty.mjs'],
    ['ping', ['ping', '--url', ''], 'asking.mjs'],
  ])('of `runner %s` takes at most 1.6 times that of bare Node', (_, words, script) => {
    const given = words.map(word => (word === '' ? url : word))
    const bareTimes: number[] = []
    const ours: number[] = []
    // By turns, so that what else the machine does meets both alike.
    for (let round = 0; round < ROUNDS; round++) {
      bareTimes.push(timeOf([join(bare, script), url]))
      ours.push(timeOf([BUNDLE, ...given]))
    }
    expect(median(ours) / median(bareTimes)).toBeLessThanOrEqual(MOST_RATIO)
  })
})
