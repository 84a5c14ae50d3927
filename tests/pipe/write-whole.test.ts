import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { waitUntil } from '../launcher/harness.ts'

const KILLS = 15
/** More than one write to the disk takes. */
const LENGTH = 300_000

let directory: string
let program: string
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'headrace-whole-'))
  program = join(directory, 'writer.mjs')
  const source = `
    import { writeWhole } from '../../runner/pipe/write-whole.ts'
    const path = process.argv[2]
    for (let n = 0; ; n++) writeWhole(path, JSON.stringify({ n, text: String(n % 10).repeat(${LENGTH}) }))`
  await build({
    stdin: { contents: source, resolveDir: fileURLToPath(new URL('.', import.meta.url)), loader: 'ts' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile: program,
  })
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

test('S40 a writer that is killed at any moment leaves the old document or the new one, whole', async () => {
  const path = join(directory, 'result.json')
  let last = -1
  for (let kill = 0; kill < KILLS; kill++) {
    rmSync(path, { force: true })
    const child = spawn(process.execPath, [program, path], { stdio: 'ignore' })
    const ended = once(child, 'exit')
    await waitUntil('it writes', () => existsSync(path), Boolean)
    await sleep(Math.random() * 20)
    child.kill('SIGKILL')
    expect(await ended).toEqual([null, 'SIGKILL'])
    const { n, text } = JSON.parse(readFileSync(path, 'utf8')) as { n: number; text: string }
    expect(text).toBe(String(n % 10).repeat(LENGTH))
    last = Math.max(last, n)
  }
  // Some were killed over a later one than the first.
  expect(last).toBeGreaterThan(0)
})
