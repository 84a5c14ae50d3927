import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { hostname } from 'node:os'
import { expect, test } from 'vitest'
import { readJournal } from '../../runner/launcher/journal.ts'
import { hasNative } from '../helpers/launcher-kinds.ts'
import { isGone, waitUntil } from '../launcher/harness.ts'
import { startServer } from './server.ts'
import { afterTest, openSite, type Site } from './site.ts'

const WORKFLOW = `
name: some
jobs: [{ name: 'job_{i}', command: 'echo $TORC_WORKFLOW_ID.{i} >> ran', parameters: { i: '1:6' } }]
`

const ran = (site: Site): string[] =>
  existsSync(site.path('ran')) ? readFileSync(site.path('ran'), 'utf8').trim().split('\n').sort() : []
const allOf = (workflowId: number): string[] => [1, 2, 3, 4, 5, 6].map(i => `${workflowId}.${i}`)

/** Makes a workflow on the server, ready to run. */
async function create(site: Site, url: string, file = 'workflow.yaml'): Promise<void> {
  await site.runTo(0, ['create', file, '--url', url])
}

test('runner start serves the workflows that are named, and ends when they are complete', async () => {
  const site = openSite(WORKFLOW)
  const { url } = await startServer(site)
  await create(site, url)
  await create(site, url)
  await create(site, url)
  const { stdout } = await site.runTo(0, ['start', '1', '3', '--url', url, '-j', '2', '--output-dir', 'out'])
  expect(stdout).toContain('Ran 12 jobs of 2 workflows')
  expect(ran(site)).toEqual([...allOf(1), ...allOf(3)])
  const said = await site.runTo(0, ['start', '3', '--url', url, '--output-dir', 'out', '--format', 'json'])
  expect(JSON.parse(said.stdout)).toMatchObject({
    ended_by: 'complete',
    finished_jobs: 0,
    jobs_by_status: { completed: 6 },
  })
})

test('runner start without ids serves workflows that are made later, within moments of their start, and ends when idle', async () => {
  const site = openSite(WORKFLOW)
  const { url } = await startServer(site)
  const runner = site.start(['start', '--url', url, '-j', '2', '--output-dir', 'out', '--idle-exit', '4s'])
  await create(site, url)
  await site.runTo(0, ['workflows', 'init', '1', '--url', url])
  await waitUntil(
    'the first is done',
    () => ran(site),
    lines => lines.length === 6,
  )
  await create(site, url)
  await site.runTo(0, ['workflows', 'init', '2', '--url', url])
  await waitUntil(
    'the second is done',
    () => ran(site),
    lines => lines.length === 12,
  )
  expect(runner.hasEnded()).toBe(false)
  const { code, stdout, stderr } = await runner.ended
  expect({ code, stderr }).toMatchObject({ code: 0 })
  expect(stdout).toContain('Ran 12 jobs of 2 workflows')
  const nodes = JSON.parse(
    (await site.runTo(0, ['compute-nodes', 'list', '1', '--url', url, '--format', 'json'])).stdout,
  )
  expect(nodes.items.map((node: { is_active: boolean }) => node.is_active)).toEqual([false])
})

test.skipIf(!hasNative)(
  'S105 a job of a killed runner start goes on under the next one, and is recorded once',
  async () => {
    const site = openSite(`
name: patient
resource_monitor: { enabled: true, granularity: time_series, sample_interval_seconds: 1, flush_interval_seconds: 1 }
jobs: [{ name: slow, command: 'echo slow >> ran; until test -e finish; do sleep 0.02; done; seq 5000' }]
`)
    const { url } = await startServer(site)
    await create(site, url)
    await site.runTo(0, ['workflows', 'init', '1', '--url', url])
    const words = ['start', '1', '--url', url, '-j', '2', '--output-dir', 'headrace_output', '--max-log-size', '2k']
    const runner = site.start(words)
    await waitUntil(
      'it runs',
      () => ran(site),
      lines => lines[0] === 'slow',
    )
    runner.child.kill('SIGKILL')
    await runner.ended
    const [slow] = readJournal(site.journal).launches
    const second = site.start(words)
    await waitUntil(
      'it goes on',
      () => second.output.stderr,
      said => said.includes('1 go on, 0 run again'),
    )
    expect(isGone(slow!.pid)).toBe(false)
    // The first one was killed before a job is old enough to be measured.
    await waitUntil('samples are written', () => existsSync(site.path('headrace_output/resource_utilization')), Boolean)
    writeFileSync(site.path('finish'), '')
    expect(await second.ended).toMatchObject({ code: 0 })
    expect(ran(site)).toEqual(['slow'])
    const results = JSON.parse((await site.runTo(0, ['results', '1', '--url', url, '--format', 'json'])).stdout)
    expect(results.items).toMatchObject([{ attempt_id: 1, return_code: 0, status: 'completed' }])
    expect(statSync(site.path('headrace_output/job_stdio/job_wf1_j1_r0_a1.o')).size).toBeLessThan(4_000)
    // Of all figures this one comes from samples alone.
    expect(results.items[0].peak_cpu_percent).toBeGreaterThan(0)
  },
)

test('runner start says in one line what is in its way', async () => {
  const site = openSite(WORKFLOW)
  const none = await site.runTo(3, ['start', '--output-dir', 'out'])
  expect(none.stderr).toContain('Cannot start a runner without a server: name one with --url')
  const { url } = await startServer(site)
  const missing = await site.runTo(3, ['start', '99', '--url', url, '--output-dir', 'out'])
  expect(missing.stderr.trim().split('\n')).toEqual(['Cannot serve workflow 99: Workflow not found with ID: 99'])
  const unknown = await site.runTo(3, ['start', '--url', url, '--output-dir', 'out'], { HEADRACE_TOKEN: 'expired' })
  expect(unknown.stderr.trim().split('\n')).toHaveLength(1)
  expect(unknown.stderr).toMatch(/^Cannot start a runner.*HEADRACE_TOKEN/)
  const wrong = await site.runTo(2, ['start', 'one', '--url', url])
  expect(wrong.stderr).toContain('the workflow id')
})

test.each(['start', 'run'])(
  'runner %s says in one line when its directory cannot be written, and claims nothing',
  async verb => {
    const site = openSite(WORKFLOW)
    const { url } = await startServer(site)
    await create(site, url)
    const words = [verb, '1', '--url', url, '-j', '2', '--output-dir']
    const nowhere = await site.runTo(3, [...words, '/proc/headrace'])
    expect(nowhere.stderr.trim().split('\n')).toEqual([expect.stringContaining('Cannot write in /proc/headrace')])
    // Where the outbox should be made there is a file.
    mkdirSync(site.path(`out/runner/${hostname()}`), { recursive: true })
    writeFileSync(site.path(`out/runner/${hostname()}/outbox`), '')
    const blocked = await site.runTo(3, [...words, 'out'])
    expect(blocked.stderr.trim().split('\n')).toEqual([expect.stringContaining('a file is in the way')])
    const { stdout } = await site.runTo(0, ['status', '1', '--url', url, '--format', 'json'])
    expect(JSON.parse(stdout).jobs_by_status).toMatchObject({ running: 0, pending: 0 })
  },
)

test('runner start passes over outbox files that are torn or not its own', async () => {
  const site = openSite(WORKFLOW)
  const { url } = await startServer(site)
  await create(site, url)
  const outbox = site.path(`out/runner/${hostname()}/outbox`)
  mkdirSync(outbox, { recursive: true })
  writeFileSync(`${outbox}/1-1-0.outbox`, randomBytes(1_000))
  writeFileSync(`${outbox}/2-1-0.outbox`, 'nothing of ours\n')
  await site.runTo(0, ['start', '1', '--url', url, '-j', '2', '--output-dir', 'out'])
  expect(ran(site)).toEqual(allOf(1))
})

test.each([
  ['older', '1.0.0 (headrace 0.2.9)', 'update the server'],
  ['newer', '1.0.0 (headrace 7.1.0)', 'update the runner'],
  ['another program', '1.0.0 (abcdef)', 'no Headrace server'],
])(
  'runner run and runner start refuse a server that is %s in one line, and ask it nothing else',
  async (_, version, words) => {
    const site = openSite(WORKFLOW)
    const asked: (string | undefined)[] = []
    const other = createServer((request, reply) => {
      asked.push(request.url)
      reply.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ version }))
    })
    await once(other.listen(0, '127.0.0.1'), 'listening')
    afterTest(() => void other.close())
    const { port } = other.address() as AddressInfo
    for (const verb of ['run', 'start']) {
      const { stderr } = await site.runTo(3, [verb, '1', '--url', `http://127.0.0.1:${port}`, '--output-dir', 'out'])
      expect(stderr.trim().split('\n')).toEqual([expect.stringContaining(words)])
    }
    expect(asked).toEqual(['/v1/version', '/v1/version'])
  },
)

test('runner start ends the jobs of each workflow as that says: its signal, and its time before the end', async () => {
  const trapping = (word: string, signal: string): string =>
    `command: "trap 'echo ${word} >> ran; exit 0' ${signal}; touch ${word}; while :; do sleep 0.02; done"`
  const site = openSite(`
name: early
execution_config: { termination_signal: SIGUSR1, sigterm_lead_seconds: 4, sigkill_headroom_seconds: 1 }
jobs: [{ name: j, ${trapping('early', 'USR1')} }]
`)
  writeFileSync(site.path('usual.yaml'), `name: usual\njobs: [{ name: j, ${trapping('usual', 'TERM')} }]\n`)
  const { url } = await startServer(site)
  await create(site, url)
  await create(site, url, 'usual.yaml')
  await site.runTo(0, ['start', '1', '2', '--url', url, '-j', '2', '--output-dir', 'out', '--time-limit', '8s'])
  expect(existsSync(site.path('usual'))).toBe(true)
  expect(readFileSync(site.path('ran'), 'utf8').trim().split('\n')).toEqual(['early', 'usual'])
})

test('runner start says when the server is older than itself', async () => {
  const site = openSite(WORKFLOW)
  const old = createServer((_, reply) => reply.writeHead(404, { 'content-type': 'application/json' }).end('{}'))
  await once(old.listen(0, '127.0.0.1'), 'listening')
  afterTest(() => void old.close())
  const { port } = old.address() as AddressInfo
  const { stderr } = await site.runTo(3, ['start', '--url', `http://127.0.0.1:${port}`, '--output-dir', 'out'])
  expect(stderr.trim().split('\n')).toEqual([expect.stringContaining('the server is older than this runner')])
})
