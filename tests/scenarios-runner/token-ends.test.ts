import { existsSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { waitUntil } from '../launcher/harness.ts'
import { startServer } from './server.ts'
import { openSite, type Site } from './site.ts'

const WORKFLOW = `
name: long
jobs:
  - { name: slow, command: 'touch started; until test -e finish; do sleep 0.02; done' }
  - { name: after, command: 'true', depends_on: [slow] }
`
const SCOPES = ['--scope', 'read,write,claim']

async function makeToken(site: Site, url: string, name: string): Promise<{ id: number; token: string }> {
  const words = ['tokens', 'create', name, ...SCOPES, '--url', url, '--format', 'json']
  return JSON.parse((await site.runTo(0, words)).stdout)
}

async function statuses(site: Site, url: string): Promise<Record<string, number>> {
  return JSON.parse((await site.runTo(0, ['status', '1', '--url', url, '--format', 'json'])).stdout).jobs_by_status
}

test.each(['run', 'start'])(
  'runner %s whose token is revoked finishes what runs, keeps its end, and says what to do in one line, with exit code 3',
  async verb => {
    const site = openSite(WORKFLOW)
    const { url } = await startServer(site)
    await site.runTo(0, ['create', 'workflow.yaml', '--url', url])
    const { id, token } = await makeToken(site, url, 'node')
    const words = [verb, '1', '--url', url, '--output-dir', 'out', '--lease', '15s']
    const runner = site.start(words, { HEADRACE_TOKEN: token })
    await waitUntil('it runs', () => existsSync(site.path('started')), Boolean)
    await site.runTo(0, ['tokens', 'revoke', String(id), '--url', url])
    await waitUntil(
      'it hears of it',
      () => runner.output.stderr,
      said => said.includes('The server refuses this runner'),
    )
    writeFileSync(site.path('finish'), '')
    const { code, stderr } = await runner.ended
    expect(code).toBe(3)
    const last = stderr.trim().split('\n').at(-1)!
    expect(last).toContain('the token was revoked')
    expect(last).toContain('set HEADRACE_TOKEN to a new token and run the same command again')
    expect(last).toMatch(/or `runner reconcile \S+\/out`/)
    expect(await statuses(site, url)).toMatchObject({ running: 1, blocked: 1 })

    const fresh = { HEADRACE_TOKEN: (await makeToken(site, url, 'next')).token }
    const { stdout } = await site.runTo(0, ['reconcile', 'out', '--url', url, '--format', 'json'], fresh)
    expect(JSON.parse(stdout).items).toMatchObject([{ offered: 1, accepted: 1 }])
    expect(await statuses(site, url)).toMatchObject({ completed: 1, ready: 1 })
    await site.runTo(0, words, fresh)
    expect(await statuses(site, url)).toMatchObject({ completed: 2 })
    const results = JSON.parse((await site.runTo(0, ['results', '1', '--url', url, '--format', 'json'])).stdout)
    expect(results.items.map((one: { attempt_id: number }) => one.attempt_id)).toEqual([1, 1])
  },
)
