import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { waitUntil } from '../launcher/harness.ts'
import { startServer } from '../scenarios-runner/server.ts'
import { openSite } from '../scenarios-runner/site.ts'

const FLOW = `
name: flow
resource_requirements: [{ name: small, num_cpus: 1, memory: 16m, runtime: PT10S }]
jobs:
  - { name: first, command: 'echo $HEADRACE_WORKER > first.txt', resource_requirements: small }
  - { name: second, command: 'echo x >> second.txt', resource_requirements: small, depends_on: [first] }
`

const FAILING = `
name: failing
resource_requirements: [{ name: small, num_cpus: 1, memory: 16m, runtime: PT10S }]
jobs: [{ name: never, command: 'echo x >> tries.txt; exit 3', resource_requirements: small }]
`

const QUICK = ['--scheduler', 'local', '--walltime', '5m', '--every', '1', '--idle-exit', '2s', '--cancel-after', '1s']

/** A server, a workflow, and the scheduler that is this machine, with a state of its own. */
async function openCluster(workflow: string) {
  const site = openSite(workflow)
  const { url } = await startServer(site)
  await site.runTo(0, ['create', 'workflow.yaml'])
  const env = { HEADRACE_LOCAL_STATE: site.path('local') }
  const json = async (words: string[], code = 0) =>
    JSON.parse((await site.runTo(code, [...words, '--format', 'json'])).stdout)
  return { site, url, env, json }
}

describe('runner allocate', () => {
  test('asks for a node when jobs are ready, runs them to the end and leaves nothing behind', async () => {
    const { site, env, json } = await openCluster(FLOW)
    const shown = await site.runTo(0, ['allocate', '1', ...QUICK, '--dry-run'], env)
    expect(shown.stdout).toContain('Nothing would be asked for now')
    expect(shown.stdout).toContain('#!/bin/bash')
    expect((await json(['allocate', 'status', '1'])).plans).toEqual([])

    await site.runTo(0, ['allocate', '1', ...QUICK], env)
    expect(readFileSync(site.path('first.txt'), 'utf8')).toBe('1\n')
    const { plans, allocations } = await json(['allocate', 'status', '1'])
    expect(plans).toMatchObject([{ name: 'default', state: 'active' }])
    expect(allocations.length).toBeGreaterThan(0)
    for (const { state, directory } of allocations) {
      expect(state).toBe('ended')
      expect(existsSync(`${directory}/environment`)).toBe(false)
    }
  })

  test('S35 refuses mistakes before anything is kept or submitted', async () => {
    const { site, env, json } = await openCluster(FLOW)
    const refused = async (words: string[], code = 2) =>
      (await site.runTo(code, ['allocate', '1', ...words], env)).stderr.trim().split('\n').at(-1)
    expect(await refused(['--scheduler', 'lsf'])).toContain('Cannot use scheduler lsf as it is unknown')
    expect(await refused([])).toContain('--scheduler')
    const local = ['--scheduler', 'local']
    expect(await refused([...local, '--walltime', 'soon'])).toContain('--walltime')
    expect(await refused([...local, '--max-nodes', '0'])).toContain('--max-nodes')
    expect(await refused([...local, '--min-nodes-per-request', '20'])).toContain('at most 10')
    expect(await refused([...local, '--min-utilization', '2'])).toContain('from 0 to 1')
    expect(await refused([...local, '--plan', 'a/b'])).toContain('--plan')
    expect(await refused([...local, '--node-token-file', 'none'], 3)).toContain('ENOENT')
    expect((await site.runTo(3, ['allocate', 'pause', '1'])).stderr).toContain('as there is none')
    expect(await json(['allocate', 'status', '1'])).toMatchObject({ plans: [], allocations: [] })
  })

  test('needs a server that nodes can reach', async () => {
    const site = openSite(FLOW)
    await site.runTo(0, ['create', 'workflow.yaml'])
    const { stderr } = await site.runTo(3, ['allocate', '1', ...QUICK])
    expect(stderr).toContain('start `runner server`')
  })
})

describe('runner watch', () => {
  test('run twice, one acts: plans are seen to and failed jobs recovered once, by whoever has the duty', async () => {
    const { site, env, json } = await openCluster(FAILING)
    await site.runTo(0, ['allocate', '1', ...QUICK, '--once'], env)
    const words = ['watch', '1', '--recover', '--max-retries', '1', '--every', '1', '--poll-interval', '0.5']
    const both = await Promise.all([1, 2].map(() => site.run([...words, '--format', 'json'], env)))
    expect(both.map(({ code }) => code)).toEqual([1, 1])
    expect(readFileSync(site.path('tries.txt'), 'utf8')).toBe('x\nx\n')
    const recoveries = both.map(({ stdout }) => JSON.parse(stdout).recoveries.length)
    expect(recoveries.reduce((sum, count) => sum + count, 0)).toBe(1)
    const { allocations } = await json(['allocate', 'status', '1'])
    expect(allocations.every(({ state }: { state: string }) => state === 'ended' || state === 'canceled')).toBe(true)
  })
})

describe('runner relay', () => {
  test('lets a runner work that cannot reach the server, with the token of its own file', async () => {
    const { site, env } = await openCluster(FLOW)
    const relay = site.start(['relay', '--port', '0'])
    const said = () => /Relaying (http:\S+) /.exec(relay.output.stderr)?.[1]
    const url = await waitUntil('the relay listens', said, found => found !== undefined || relay.hasEnded())
    const token = readFileSync(site.path('headrace_output/relay.token'), 'utf8').trim()
    const run = ['run', '1', '--url', url!, '--output-dir', 'node_output']
    await site.runTo(3, run, env)
    await site.runTo(0, run, { ...env, HEADRACE_TOKEN: token })
    expect(existsSync(site.path('second.txt'))).toBe(true)
    relay.child.kill('SIGTERM')
    expect((await relay.ended).code).toBe(0)
  })
})
