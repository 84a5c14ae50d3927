import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { expect, test } from 'vitest'
import { readJournal } from '../../runner/launcher/journal.ts'
import { hasNative, usualLauncher } from '../helpers/launcher-kinds.ts'
import { skipUnless } from '../helpers/skip.ts'
import { isGone, waitUntil } from '../launcher/harness.ts'
import { mostCpus } from './most-cpus.ts'
import { startServer } from './server.ts'
import { openSite, type Site } from './site.ts'
import { type SeenExchange, startSpy } from './spy.ts'

const withNative = skipUnless(hasNative, 'no C compiler: four exits at one moment need the native launcher')

const withCompletions = (exchanges: readonly SeenExchange[]): SeenExchange[] =>
  exchanges.filter(({ body }) => body.completions.length > 0)

const startedJobs = (site: Site): number =>
  readdirSync(site.directory).filter(name => name.startsWith('started_')).length

withNative('S52 four jobs that end together are told in one request', async () => {
  const spy = await startSpy()
  const site = openSite(`
name: together
jobs:
  - { name: 'job_{i}', command: 'touch started_{i}; until test -e go; do sleep 0.02; done', parameters: { i: '1:4' } }
`)
  const runner = site.start(['run', 'workflow.yaml', '-j', '4', '--url', spy.url], { HEADRACE_LAUNCHER: usualLauncher })
  await waitUntil(
    'all four run',
    () => startedJobs(site),
    count => count === 4,
  )
  const { lives, launches } = readJournal(site.journal)
  // While the launcher is stopped their ends add up, so that it sees all of them in one look.
  process.kill(lives[0]!.pid, 'SIGSTOP')
  writeFileSync(site.path('go'), '')
  await waitUntil(
    'all four have ended',
    () => launches.map(({ pid }) => isGone(pid)),
    gone => gone.every(Boolean),
  )
  process.kill(lives[0]!.pid, 'SIGCONT')
  expect((await runner.ended).code).toBe(0)
  expect(withCompletions(spy.exchanges).map(({ body }) => body.completions.length)).toEqual([4])
})

test('S69 an exit is told at once though the next poll is seconds away', async () => {
  const spy = await startSpy()
  const site = openSite(`
name: exits
jobs:
  - { name: long, command: sleep 5 }
  - { name: next, command: 'true', depends_on: [long] }
`)
  await site.runTo(0, ['run', 'workflow.yaml', '-j', '2', '--url', spy.url])
  const [told] = withCompletions(spy.exchanges)
  const [entry] = told!.body.completions
  expect(told!.atMs - entry!.phase_times.exited).toBeLessThan(500)
  // The runner had a slot free all the time and asked ever more rarely.
  const before = spy.exchanges.filter(({ atMs }) => atMs < told!.atMs).map(({ atMs }) => atMs)
  expect(before.length).toBeLessThanOrEqual(8)
})

test('a dependant starts right after its producer, without a poll in between', async () => {
  const site = openSite(`
name: chain
jobs:
  - { name: 'link_1', command: 'true' }
${Array.from({ length: 19 }, (_, n) => `  - { name: link_${n + 2}, command: 'true', depends_on: [link_${n + 1}] }`).join('\n')}
`)
  await site.runTo(0, ['run', 'workflow.yaml', '-j', '2'])
  const spans = await site.rows<{ launched_at: number; exited_at: number }>(
    'SELECT launched_at, exited_at FROM result ORDER BY job_id',
  )
  const gaps = spans.slice(1).map(({ launched_at }, index) => launched_at - spans[index]!.exited_at)
  expect(gaps).toHaveLength(19)
  // The first pause of a poll is 200 ms.
  expect(gaps.sort((a, b) => a - b)[9]).toBeLessThan(20)
})

test('S102 a resource-aware and a queue-depth runner drain one workflow, and the first never exceeds its node', async () => {
  const site = openSite(`
name: mixed
resource_requirements:
  - { name: one, num_cpus: 1, memory: 1m, runtime: PT1M }
  - { name: two, num_cpus: 2, memory: 1m, runtime: PT1M }
jobs:
  - { name: 'small_{i}', command: 'sleep 0.0{i}', resource_requirements: one, parameters: { i: '10:69' } }
  - { name: 'large_{i}', command: 'sleep 0.0{i}', resource_requirements: two, parameters: { i: '10:49' } }
`)
  const { server, url } = await startServer(site)
  const created = await site.runTo(0, ['create', 'workflow.yaml', '--url', url, '--format', 'json'])
  const id = String(JSON.parse(created.stdout).workflow_id)
  // Both nodes have the same cores; the GPU marks the one of the first.
  const aware = ['--num-cpus', '2', '--overcommit', '--num-gpus', '1', '--output-dir', 'aware']
  const ends = await Promise.all([
    site.run(['run', id, '--url', url, ...aware]),
    site.run(['run', id, '--url', url, '-j', '3', '--output-dir', 'deep']),
  ])
  expect(ends.map(({ code }) => code)).toEqual([0, 0])
  server.child.kill('SIGTERM')
  await server.ended
  const results = await site.rows<{ node: number; cpus: number; launched_at: number; exited_at: number }>(`
    SELECT compute_node_id AS node, CASE WHEN job_id <= 60 THEN 1 ELSE 2 END AS cpus, launched_at, exited_at FROM result`)
  expect(results).toHaveLength(100)
  const nodes = await site.rows<{ id: number }>('SELECT id FROM compute_node WHERE num_gpus = 1')
  const awareNode = nodes[0]!.id
  const here = results.filter(({ node }) => node === awareNode)
  expect(here.length).toBeGreaterThan(0)
  expect(here.length).toBeLessThan(100)
  expect(mostCpus(here)).toBe(2)
})

test('S76 a dependant that only another, idle runner has room for starts there within one poll', async () => {
  const site = openSite(`
name: handover
resource_requirements:
  - { name: one, num_cpus: 1, memory: 1m, runtime: PT1M }
  - { name: two, num_cpus: 2, memory: 1m, runtime: PT1M }
jobs:
  - { name: small, command: 'touch started; until test -e go; do sleep 0.02; done', resource_requirements: one }
  - { name: large, command: 'true', resource_requirements: two, depends_on: [small] }
`)
  const { url } = await startServer(site)
  const created = await site.runTo(0, ['create', 'workflow.yaml', '--url', url, '--format', 'json'])
  const id = String(JSON.parse(created.stdout).workflow_id)
  const runner = (cpus: string) =>
    site.start(['run', id, '--url', url, '--num-cpus', cpus, '--overcommit', '--output-dir', `out_${cpus}`])
  const small = runner('1')
  await waitUntil('the small job runs', () => existsSync(site.path('started')), Boolean)
  const large = runner('2')
  const state = site.path(`out_2/runner/${hostname()}/state.json`)
  await waitUntil('the other runner is there', () => existsSync(state), Boolean)
  writeFileSync(site.path('go'), '')
  expect((await large.ended).code).toBe(0)
  await small.ended
  const [first, second] = await resultsOf(url, id)
  expect(second!.compute_node_id).not.toBe(first!.compute_node_id)
  // It had waited for a moment only, so that its next poll was near.
  expect(Date.parse(second!.completion_time) - Date.parse(first!.completion_time)).toBeLessThan(10_000)
})

type Result = { job_id: number; compute_node_id: number; completion_time: string }

async function resultsOf(url: string, id: string): Promise<Result[]> {
  const reply = await fetch(`${url}/v1/results?workflow_id=${id}&sort_by=job_id`)
  return ((await reply.json()) as { items: Result[] }).items
}
