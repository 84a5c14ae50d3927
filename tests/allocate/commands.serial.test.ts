import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { waitUntil } from '../launcher/harness.ts'
import { startServer } from '../scenarios-runner/server.ts'
import { afterTest, openSite } from '../scenarios-runner/site.ts'
import { startFake } from '../schedulers/fakes/start.ts'

const FLOW = `
name: flow
resource_requirements: [{ name: small, num_cpus: 1, memory: 16m, runtime: PT10S }]
jobs:
  - { name: first, command: 'echo $HEADRACE_WORKER > first.txt', resource_requirements: small }
  - { name: second, command: 'echo x >> second.txt', resource_requirements: small, depends_on: [first] }
`

const WIDE = `
name: wide
resource_requirements: [{ name: small, num_cpus: 1, memory: 16m, runtime: PT10S }]
jobs:
  - { name: "many_{i}", command: sleep 0.5, resource_requirements: small, parameters: { i: "1:8" } }
`

const FAILING = `
name: failing
resource_requirements: [{ name: small, num_cpus: 1, memory: 16m, runtime: PT10S }]
jobs: [{ name: never, command: 'echo x >> tries.txt; exit 3', resource_requirements: small }]
`

const TIMES = ['--walltime', '5m', '--every', '1', '--idle-exit', '2s', '--cancel-after', '1s']
const QUICK = ['--scheduler', 'local', ...TIMES]

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
    const refused = async (words: string[]) =>
      (await site.runTo(2, ['allocate', '1', ...words], env)).stderr.trim().split('\n').at(-1)
    expect(await refused(['--scheduler', 'lsf'])).toContain('Cannot use scheduler lsf as it is unknown')
    expect(await refused([])).toContain('--scheduler')
    expect(await refused(['--scheduler', 'local', '--node-url', 'nonsense'])).toContain('must start with http')
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

describe.each(['pbs', 'htcondor'] as const)('runner allocate over an imitation of %s', kind => {
  test('asks for an array, gives all back, and has nothing left in the queue', async () => {
    const fake = startFake(kind)
    afterTest(() => fake.close())
    const { site, json } = await openCluster(WIDE)
    const size = ['--num-cpus', '1', '--max-nodes', '3', '--finish-within', '10s']
    await site.runTo(0, ['allocate', '1', '--scheduler', kind, ...TIMES, ...size], fake.env)
    const { allocations } = await json(['allocate', 'status', '1'])
    const ids: string[] = allocations.map((one: { scheduler_id: string }) => one.scheduler_id)
    expect(new Set(allocations.map((one: { state: string }) => one.state))).toEqual(new Set(['ended']))
    expect(allocations[0].width).toBe(3)
    // An array of PBS has brackets in its id, which are in no path.
    expect(ids.some(id => id.includes('['))).toBe(kind === 'pbs')
    expect(readdirSync(site.path('headrace_output/allocations')).join()).not.toContain('[')
    const states = fake.jobs().flatMap(({ elements }) => elements.map(({ state }) => state))
    expect(states.filter(state => ['queued', 'running', 'Q', 'R'].includes(state))).toEqual([])
  })
})
