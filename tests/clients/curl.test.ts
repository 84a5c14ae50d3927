import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect } from 'vitest'
import { type RunningServer, startServer } from '../../api/node.ts'
import { skipUnless } from '../helpers/skip.ts'
import { waitUntil } from '../launcher/harness.ts'

const EXAMPLES = fileURLToPath(new URL('../../examples/curl/', import.meta.url))
const isThere = (program: string): boolean => spawnSync(program, ['--version']).status === 0
const it = skipUnless(isThere('curl') && isThere('jq'), 'no curl or no jq: the examples with curl')

let folder: string
let server: RunningServer
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'headrace-curl-'))
  server = await startServer({ dbPath: join(folder, 'test.db'), durability: 'process', log: () => {} })
})
afterEach(async () => {
  await server.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Each script starts curl and jq many times. */
const TIMEOUT_MS = 120_000

type Ended = { code: number | null; lines: string[]; stderr: string }

const start = (name: string, words: readonly unknown[]) =>
  spawn('sh', [EXAMPLES + name, ...words.map(String)], {
    cwd: folder,
    env: { ...process.env, HEADRACE_API_URL: server.url, HEADRACE_TOKEN: undefined, USER: 'ada' },
  })

/** Runs an example to its end. */
function run(name: string, ...words: unknown[]): Promise<Ended> {
  const child = start(name, words)
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', chunk => {
    stdout += chunk
  })
  child.stderr.on('data', chunk => {
    stderr += chunk
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', code => resolve({ code, lines: stdout.trim().split('\n'), stderr }))
  })
}

/** Runs an example that must succeed; gives its lines. */
async function lines(name: string, ...words: unknown[]): Promise<string[]> {
  const { code, lines, stderr } = await run(name, ...words)
  expect({ code, stderr }, `${name} ${words.join(' ')}`).toMatchObject({ code: 0 })
  return lines
}

it('the examples make a workflow in steps, start it, work it off and list how it ended', {
  timeout: TIMEOUT_MS,
}, async () => {
  const [id] = await lines('create-in-steps.sh', 2)
  expect(await lines('initialize.sh', id)).toEqual(['blocked 3', 'ready 1', 'complete: false'])
  expect(JSON.parse((await lines('explain.sh', id, 'report')).join(''))).toMatchObject({ status: 'blocked' })
  expect(await lines('work-off.sh', id)).toHaveLength(4)
  expect(await lines('status.sh', id)).toEqual(['completed 4', 'complete: true'])
  expect(await lines('results.sh', id)).toEqual([
    'setup completed 0',
    'work_0 completed 0',
    'work_1 completed 0',
    'report completed 0',
  ])
  expect(readFileSync(join(folder, 'out/part_1.txt'), 'utf8')).toBe('3\n')
  expect(await lines('list.sh', 'ada')).toEqual([`${id} ada in_steps`])
  expect(await lines('export.sh', id, 'kept.ndjson')).toEqual(['exported 4 jobs'])
  const [copy] = await lines('import.sh', 'kept.ndjson')
  expect(await lines('results.sh', copy)).toHaveLength(4)
  await lines('tidy-up.sh', 'delete', copy)
  expect(await lines('tidy-up.sh', 'archive', id)).toEqual(['archived in_steps'])
  expect(await lines('list.sh')).toEqual([''])
  expect(await lines('tidy-up.sh', 'delete', id)).toEqual(['deleted in_steps'])
  expect(await run('status.sh', id)).toMatchObject({ code: 1, stderr: expect.stringContaining('not found') })
})

const FLOW = `name: flow
jobs:
  - { name: first, command: test -e repaired }
  - { name: second, command: 'true', depends_on: [first] }
`

it('the examples make a workflow of a file, show its events, cancel it and run what failed again', {
  timeout: TIMEOUT_MS,
}, async () => {
  writeFileSync(join(folder, 'flow.yaml'), FLOW)
  const [id] = await lines('create-from-file.sh', 'flow.yaml')
  const watcher = start('watch-events.sh', [id])
  let seen = ''
  watcher.stdout.on('data', chunk => {
    seen += chunk
  })
  try {
    // A stream shows what happens from its beginning on, so something has to happen until it is there.
    await waitUntil(
      'events are seen',
      () => {
        void fetch(`${server.url}/v1/workflows/${id}/initialize_jobs`, { method: 'POST' })
        return seen
      },
      text => text.includes('workflow_'),
    )
    await lines('work-off.sh', id)
    await waitUntil(
      'the failure is seen',
      () => seen,
      text => text.includes('job_failed first'),
    )
  } finally {
    watcher.kill('SIGTERM')
  }
  expect(await lines('results.sh', id, 'failed')).toEqual(['first failed 1'])
  expect(await lines('status.sh', id)).toEqual(['failed 1', 'canceled 1', 'complete: true'])
  writeFileSync(join(folder, 'repaired'), '')
  expect(await lines('retry-failed.sh', id)).toEqual(['blocked 1', 'ready 1', 'complete: false'])
  expect(await lines('cancel.sh', id)).toEqual(['blocked 1', 'ready 1', 'complete: true'])
  expect(await lines('retry-failed.sh', id)).toEqual(['blocked 1', 'ready 1', 'complete: false'])
  await lines('work-off.sh', id)
  expect(await lines('status.sh', id)).toEqual(['completed 2', 'complete: true'])
})

it('the examples say what is wrong in the words of the server, and how they are used', async () => {
  writeFileSync(join(folder, 'bad.yaml'), 'name: bad\njobs:\n  - { name: a, command: b, no_such_key: 1 }\n')
  const refused = await run('create-from-file.sh', 'bad.yaml')
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('3:') })
  const used = await run('cancel.sh')
  expect(used).toMatchObject({ code: 2, stderr: expect.stringContaining('Usage: cancel.sh WORKFLOW') })
})

it('the examples send the token where a server asks for it', async () => {
  const own = await startServer({
    dbPath: join(folder, 'own.db'),
    durability: 'process',
    token: 'secret',
    log: () => {},
  })
  try {
    // A Host that is not this machine's makes the server ask its own user, too.
    const words = ['-c', `. "${EXAMPLES}service.sh"; api GET /workflows --header 'host: elsewhere'`]
    const ask = (HEADRACE_TOKEN: string) => {
      const child = spawn('sh', words, { env: { ...process.env, HEADRACE_API_URL: own.url, HEADRACE_TOKEN } })
      return new Promise(resolve => child.on('close', resolve))
    }
    expect(await ask('secret')).toBe(0)
    expect(await ask('wrong')).not.toBe(0)
  } finally {
    await own.close()
  }
})

/** The commands of contract/notes.md 16.8, as somebody types them; they end with what the last one answers. */
const BY_HAND = `
J='-H content-type:application/json'
W=$(curl -s $J $B/workflows -d '{"name":"w","user":"u"}' | jq .id)
set -- $(curl -s $J $B/bulk_jobs -d '{"jobs":[{"workflow_id":'$W',"name":"a","command":"true"},{"workflow_id":'$W',"name":"b","command":"true"}]}' | jq '.jobs[].id')
curl -s -XPOST "$B/workflows/$W/initialize_jobs"; curl -s $B/workflows/$W/is_complete
N=$(curl -s $J $B/compute_nodes -d '{"workflow_id":'$W',"hostname":"h","pid":1,"start_time":"2026-01-01T00:00:00Z","num_cpus":2,"memory_gb":4,"num_gpus":0,"num_nodes":1,"compute_node_type":"local","is_active":true}' | jq .id)
curl -s $J "$B/workflows/$W/claim_jobs_based_on_resources/2" -d '{"num_cpus":2,"memory_gb":4,"num_gpus":0,"num_nodes":1}'
curl -s -XPUT "$B/jobs/$1/start_job/0/$N"
echo
curl -s $J "$B/workflows/$W/batch_complete_jobs" -d '{"completions":[{"job_id":'$1',"status":"completed","run_id":0,"result":{"job_id":'$1',"workflow_id":'$W',"run_id":0,"attempt_id":1,"compute_node_id":'$N',"return_code":0,"exec_time_minutes":0.1,"completion_time":"2026-01-01T00:01:00Z","status":"completed"}}]}'
`

it('the commands that people type by hand work off a workflow', async () => {
  const child = spawn('sh', ['-c', BY_HAND], { env: { ...process.env, B: `${server.url}/torc-service/v1` } })
  let stdout = ''
  child.stdout.on('data', chunk => {
    stdout += chunk
  })
  await new Promise(resolve => child.on('close', resolve))
  expect(JSON.parse(stdout.trim().split('\n').at(-1)!)).toMatchObject({ completed: [1], errors: [] })
})

it('every example is a POSIX script that begins with what it does and how it is used', () => {
  for (const name of readdirSync(EXAMPLES).filter(name => name !== 'service.sh')) {
    const text = readFileSync(EXAMPLES + name, 'utf8')
    expect(text, name).toMatch(/^#!\/bin\/sh\n# [A-Z].+\n(# .+\n)*set -eu\n/)
    expect(text, name).toContain(`# Usage: ${name}`)
    expect(statSync(EXAMPLES + name).mode & 0o111, name).not.toBe(0)
  }
})
