import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { waitUntil } from '../launcher/harness.ts'
import { startServer } from '../scenarios-runner/server.ts'
import { openSite, type Site } from '../scenarios-runner/site.ts'

const WORKFLOW = `
name: leased
jobs:
  - { name: first, command: 'echo first >> ran; touch started; until test -e go; do sleep 0.02; done' }
  - { name: after, command: 'echo after >> ran', depends_on: [first] }
`

const ran = (site: Site): string[] => readFileSync(site.path('ran'), 'utf8').trim().split('\n')

type Job = { status: string; attempt_id: number }

async function firstJob(url: string): Promise<Job> {
  const reply = await fetch(`${url}/v1/jobs?workflow_id=1&sort_by=id`)
  return ((await reply.json()) as { items: Job[] }).items[0]!
}

/** Short leases of another client, so that the test need not wait for ours. */
async function claimShort(url: string): Promise<{ node: number; token: string }> {
  const post = async (path: string, body: object) =>
    (await fetch(`${url}/v1${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }).then(reply => reply.json())) as { id: number; jobs: { claim_token: string }[] }
  const node = await post('/compute_nodes', {
    workflow_id: 1,
    hostname: 'gone',
    pid: 1,
    start_time: '2026-01-01T00:00:00Z',
    num_cpus: 1,
    memory_gb: 1,
    num_gpus: 0,
    num_nodes: 1,
    compute_node_type: 'local',
    is_active: true,
  })
  const claim = { compute_node_id: node.id, lease_seconds: 15, start: true }
  const { jobs } = await post('/workflows/1/claim_next_jobs?limit=1', claim)
  return { node: node.id, token: jobs[0]!.claim_token }
}

test('S5 a job of a runner that fell silent is run by another one when its lease has lapsed', async () => {
  const site = openSite(WORKFLOW)
  const { url } = await startServer(site)
  await site.runTo(0, ['create', 'workflow.yaml', '--url', url])
  await fetch(`${url}/v1/workflows/1/initialize_jobs`, { method: 'POST' })
  await claimShort(url)
  writeFileSync(site.path('go'), '')
  await site.runTo(0, ['run', '1', '--url', url, '--output-dir', 'out', '-j', '1'])
  expect(ran(site)).toEqual(['first', 'after'])
  expect(await firstJob(url)).toMatchObject({ status: 'completed', attempt_id: 2 })
})

test('S95 a server that was frozen for longer than a lease lets its runners keep their jobs', async () => {
  const site = openSite(WORKFLOW)
  const { server, url } = await startServer(site)
  await site.runTo(0, ['create', 'workflow.yaml', '--url', url])
  await fetch(`${url}/v1/workflows/1/initialize_jobs`, { method: 'POST' })
  await claimShort(url)
  process.kill(server.pid, 'SIGSTOP')
  await sleep(20_000)
  process.kill(server.pid, 'SIGCONT')
  await sleep(6_000)
  expect(await firstJob(url)).toMatchObject({ status: 'running', attempt_id: 1 })
  // Its own runner is as silent as ever, so that the lease lapses in the end.
  const last = { status: '' }
  for (let tries = 0; tries < 100 && last.status !== 'ready'; tries++) {
    await sleep(300)
    Object.assign(last, await firstJob(url))
  }
  expect(last.status).toBe('ready')
})

test('S94 a runner that was cut off goes on with its job, and the job runs once', async () => {
  const site = openSite(WORKFLOW)
  const first = await startServer(site)
  const runner = site.start(['run', 'workflow.yaml', '--url', first.url, '--output-dir', 'out', '-j', '1'])
  await waitUntil('the job runs', () => existsSync(site.path('started')), Boolean)
  first.server.child.kill('SIGKILL')
  await first.server.ended
  await sleep(3_000)
  writeFileSync(site.path('go'), '')
  const second = await startServer(site, { port: new URL(first.url).port })
  const { code, stderr } = await runner.ended
  expect({ code, stderr }).toMatchObject({ code: 0 })
  expect(ran(site)).toEqual(['first', 'after'])
  expect(await firstJob(second.url)).toMatchObject({ attempt_id: 1 })
})
