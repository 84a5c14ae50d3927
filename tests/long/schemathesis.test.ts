import { execFile, execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startServer } from '../../api/node.ts'

/** Schemathesis, from PyPI, makes requests from our own OpenAPI document. */

const REQUIREMENTS = fileURLToPath(new URL('schemathesis-requirements.txt', import.meta.url))
const HOME = fileURLToPath(new URL('../node_modules/.schemathesis', import.meta.url))
/** Per operation, beside those it makes of each bound in a schema. With the seed, the same requests every time. */
const EXAMPLES = 20
const SEED = 7
const PATIENCE_MS = 900_000

const TOKEN = 'schemathesis-token'
let folder: string
let server: Awaited<ReturnType<typeof startServer>>
const faults: string[] = []

beforeAll(async () => {
  install()
  folder = mkdtempSync(join(tmpdir(), 'headrace-schemathesis-'))
  const dbPath = join(folder, 'test.db')
  server = await startServer({ dbPath, durability: 'process', token: TOKEN, log: line => faults.push(line) })
  // Something that ids of its own making find.
  for (const name of ['first', 'second', 'third']) await seed(name)
}, PATIENCE_MS)

afterAll(async () => {
  await server?.close()
  if (folder) rmSync(folder, { recursive: true, force: true })
})

/** Once for each list of packages. The copy of the list is written last: it tells that the environment is whole. */
function install(): void {
  const installed = join(HOME, 'installed.txt')
  if (existsSync(installed) && readFileSync(installed, 'utf8') === readFileSync(REQUIREMENTS, 'utf8')) return
  rmSync(HOME, { recursive: true, force: true })
  execFileSync('python3', ['-m', 'venv', HOME])
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-deps', '-r', REQUIREMENTS]
  execFileSync(join(HOME, 'bin/python'), pip, { stdio: 'inherit' })
  copyFileSync(REQUIREMENTS, installed)
}

async function seed(name: string): Promise<void> {
  const jobs = [
    { name: 'a', command: 'true' },
    { name: 'b', command: 'true', depends_on: ['a'] },
  ]
  const body = JSON.stringify({ name, jobs, files: [{ name: 'f', path: 'f' }], user_data: [{ name: 'u', data: {} }] })
  const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' }
  const reply = await fetch(`${server.url}/v1/workflows/from_spec?start=true`, { method: 'POST', headers, body })
  if (!reply.ok) throw new Error(`Cannot seed: ${reply.status} ${await reply.text()}`)
}

/** The server is in this very process, so nothing here may wait without letting it work. */
function run(program: string, words: readonly string[]): Promise<{ code: number | null; said: string }> {
  return new Promise(resolve => {
    const child = execFile(program, words, { cwd: folder, maxBuffer: 2 ** 26 }, (_, stdout, stderr) =>
      resolve({ code: child.exitCode, said: stdout + stderr }),
    )
  })
}

it('S97 no request that the OpenAPI document allows or forbids ends in a 5xx, or in a reply that the document does not describe', {
  timeout: PATIENCE_MS,
}, async () => {
  const words = [
    ...['run', `${server.url}/openapi.json`, '--url', `${server.url}/v1`, '--header', `Authorization: Bearer ${TOKEN}`],
    ...['--phases', 'coverage,fuzzing', '--max-examples', String(EXAMPLES), '--seed', String(SEED)],
    ...['--checks', 'not_a_server_error,response_schema_conformance,content_type_conformance'],
    // A stream has no end, and lines of JSON are no body that it knows.
    ...['--exclude-path-regex', 'stream$', '--exclude-path', '/workflows/import'],
    ...['--workers', '2', '--request-timeout', '30', '--continue-on-failure', '--no-shrink', '--warnings', 'off'],
    ...['--generation-database', 'none', '--no-color'],
  ]
  const { code, said } = await run(join(HOME, 'bin/st'), words)
  expect(code, said).toBe(0)
  expect(said).toMatch(/\d{4,} passed/)
  expect(faults).toEqual([])
})
