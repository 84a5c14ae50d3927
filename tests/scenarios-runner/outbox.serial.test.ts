import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readOutboxFile, unanswered } from '../../runner/outbox/outbox-file.ts'
import { waitUntil } from '../launcher/harness.ts'
import { startServer } from './server.ts'
import { openSite, type Site } from './site.ts'

const WORKFLOW = `
name: patient
compute_node_wait_for_healthy_database_minutes: 0
jobs:
  - { name: 'job_{i}', command: 'touch started_{i}; until test -e go; do sleep 0.02; done; echo {i} >> ran', parameters: { i: '1:2' } }
  - { name: after, command: 'echo after >> ran', depends_on: [job_1, job_2] }
`

const RUN = ['run', '1', '-j', '2', '--output-dir', 'node_output']

async function bothStarted(site: Site): Promise<void> {
  const started = () => readdirSync(site.directory).filter(name => name.startsWith('started_')).length
  await waitUntil('both run', started, count => count === 2)
}

/** The completions in the outboxes of this site that nobody has answered. */
function waitingIn(site: Site): number {
  const directory = site.path(`node_output/runner/${hostname()}/outbox`)
  if (!existsSync(directory)) return 0
  const files = readdirSync(directory).map(name => readOutboxFile(join(directory, name))!)
  return files.reduce((sum, file) => sum + unanswered(file, undefined).length, 0)
}

/** Starts both jobs, takes the server away, lets the jobs end, and waits for the runner to give up. */
async function leaveUntold(site: Site): Promise<string> {
  const first = await startServer(site)
  await site.runTo(0, ['create', 'workflow.yaml', '--url', first.url])
  const runner = site.start([...RUN, '--url', first.url])
  await bothStarted(site)
  first.server.child.kill('SIGKILL')
  await first.server.ended
  writeFileSync(site.path('go'), '')
  const { code, stderr } = await runner.ended
  expect({ code, stderr }).toMatchObject({ code: 3, stderr: expect.stringContaining('runner reconcile') })
  return new URL(first.url).port
}

const ran = (site: Site): string[] => readFileSync(site.path('ran'), 'utf8').trim().split('\n').sort()

test('S72 a server that stays away: jobs finish, the outbox holds all, and reconcile tells it once', async () => {
  const site = openSite(WORKFLOW)
  const port = await leaveUntold(site)
  expect(waitingIn(site)).toBe(2)
  const { server, url } = await startServer(site, { port })
  const first = await site.runTo(0, ['reconcile', '.', '--url', url, '--format', 'json'])
  expect(JSON.parse(first.stdout).items).toMatchObject([{ completions: 2, offered: 2, accepted: 2 }])
  const second = await site.runTo(0, ['reconcile', '.', '--url', url, '--format', 'json'])
  expect(JSON.parse(second.stdout).items).toMatchObject([{ offered: 0 }])
  await site.runTo(0, [...RUN, '--url', url])
  server.child.kill('SIGTERM')
  await server.ended
  expect(ran(site)).toEqual(['1', '2', 'after'])
  const results = await site.rows('SELECT job_id, attempt_id FROM result ORDER BY job_id')
  expect(results).toEqual([1, 2, 3].map(job_id => ({ job_id, attempt_id: 1 })))
})

test('S73 the next runner of the directory tells what stands in the outbox, and goes on', async () => {
  const site = openSite(WORKFLOW)
  const port = await leaveUntold(site)
  const { url } = await startServer(site, { port })
  const { stderr } = await site.runTo(0, [...RUN, '--url', url])
  expect(stderr).toContain('2 finished jobs of an earlier run were told now')
  expect(ran(site)).toEqual(['1', '2', 'after'])
  expect(waitingIn(site)).toBe(0)
})

test('runner reconcile says what it cannot read, and fails only when nobody answers', async () => {
  const site = openSite(WORKFLOW)
  const port = await leaveUntold(site)
  writeFileSync(site.path('torn.outbox'), 'H {"version":1')
  const away = await site.runTo(3, ['reconcile', '.', '--url', `http://127.0.0.1:${port}`])
  expect(away.stderr).toContain('what is left stays in the outboxes')
  expect(waitingIn(site)).toBe(2)
  const { url } = await startServer(site, { port })
  const { stderr, stdout } = await site.runTo(0, ['reconcile', '.', '--url', url])
  expect(stderr).toContain(`no outbox that can be read: ${site.path('torn.outbox')}`)
  expect(stdout).toContain('Accepted')
  expect(waitingIn(site)).toBe(0)
})

test('a second runner is kept out of the directory of one that runs', async () => {
  const site = openSite(WORKFLOW)
  const runner = site.start(['run', 'workflow.yaml', '-j', '2'])
  await bothStarted(site)
  const { stderr } = await site.runTo(3, ['run', 'workflow.yaml', '--db', 'other.db'])
  expect(stderr).toContain(`another runner of this host uses ${site.path('headrace_output')}: process ${runner.pid}`)
  writeFileSync(site.path('go'), '')
  expect((await runner.ended).code).toBe(0)
  const log = readdirSync(site.path('headrace_output')).find(name => name.startsWith('job_runner_'))
  expect(log).toBe(`job_runner_${hostname()}_wf1_r0.log`)
  expect(readFileSync(site.path(`headrace_output/${log}`), 'utf8')).toContain('Ends: complete')
})
