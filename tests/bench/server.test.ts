import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { withServer } from '../../scripts/bench/server.ts'
import type { Setting } from '../../scripts/bench/types.ts'

/** Announces itself as the real server does, and leaves a note when it is asked to end. */
const SERVER = `
const { mkdirSync, writeFileSync } = require('node:fs')
const outputDir = process.argv[process.argv.indexOf('--output-dir') + 1]
mkdirSync(outputDir)
process.on('SIGTERM', () => { writeFileSync(outputDir + '/ended', 'by TERM'); process.exit(0) })
writeFileSync(outputDir + '/headrace.json', JSON.stringify({ url: 'http://127.0.0.1:1', token: 'secret', dbPath: 'any.db' }))
setInterval(() => {}, 1000)
`

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'headrace-bench-test-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

/** A setting in which `runner` is the given program. */
function settingWith(program: string): Setting {
  mkdirSync(join(directory, 'dist'))
  writeFileSync(join(directory, 'dist/runner.cjs'), program)
  const directories = { make: () => directory }
  return { root: directory, bundle: directory, quick: true, durability: 'process', directories }
}

const ending = (): string => readFileSync(join(directory, 'server/ended'), 'utf8')

test('withServer() passes the address on, gives what the work gave, and ends the server', async () => {
  const work = ({ url, token }: { url: string; token: string }) => Promise.resolve(`${url} ${token}`)
  expect(await withServer(settingWith(SERVER), directory, 'any.db', work)).toBe('http://127.0.0.1:1 secret')
  expect(ending()).toBe('by TERM')
})

test('withServer() ends the server when the work fails, and throws its error', async () => {
  const work = () => Promise.reject(new Error('the work failed'))
  await expect(withServer(settingWith(SERVER), directory, 'any.db', work)).rejects.toThrow('the work failed')
  expect(ending()).toBe('by TERM')
})

test('withServer() throws the words of a server that cannot start', async () => {
  const program = `process.stderr.write('the port is taken\\n'); process.exitCode = 3`
  const work = () => Promise.reject(new Error('there is no server to work with'))
  await expect(withServer(settingWith(program), directory, 'any.db', work)).rejects.toThrow(
    'Cannot start the server: the port is taken',
  )
})
