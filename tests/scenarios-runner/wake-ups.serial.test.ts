import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { waitUntil } from '../launcher/harness.ts'
import { startServer } from './server.ts'
import { openSite, type Site } from './site.ts'

/** Its two last jobs need two runners of one slot each. */
const WORKFLOW = `
name: wakes
jobs:
  - { name: first, command: 'touch begun; until test -e go; do sleep 0.02; done; date +%s%N > first' }
  - { name: left, command: 'date +%s%N > left; sleep 1', depends_on: [first] }
  - { name: right, command: 'date +%s%N > right; sleep 1', depends_on: [first] }
`

/** When a job wrote its moment down, in milliseconds. */
const momentIn = (site: Site, name: string): number => Number(readFileSync(site.path(name), 'utf8')) / 1e6

/** By now the next poll of an idle runner is seconds away: a start within one is not the poll's doing. */
const IDLE_MS = 4_000

/** Lets one runner work and one wait, then makes work ready for both. Returns how late the later dependant began. */
async function wakeTheIdle(words: (url: string, directory: string) => string[]): Promise<number> {
  const site = openSite(WORKFLOW)
  const { url } = await startServer(site)
  await site.runTo(0, ['create', 'workflow.yaml', '--url', url])
  await site.runTo(0, ['workflows', 'init', '1', '--url', url])
  const runners = ['one', 'two'].map(directory => site.start(words(url, directory)))
  await waitUntil('the first job runs', () => existsSync(site.path('begun')), Boolean)
  await sleep(IDLE_MS)
  writeFileSync(site.path('go'), '')
  await waitUntil(
    'both have begun',
    () => ['left', 'right'].map(name => existsSync(site.path(name))),
    seen => seen.every(Boolean),
  )
  for (const runner of runners) runner.child.kill('SIGTERM')
  await Promise.all(runners.map(runner => runner.ended))
  return Math.max(momentIn(site, 'left'), momentIn(site, 'right')) - momentIn(site, 'first')
}

test('S76 a dependant starts on an idle second runner as soon as its producer has ended, be it a runner of one workflow or of all', async () => {
  const ofOne = (url: string, directory: string) => ['run', '1', '--url', url, '-j', '1', '--output-dir', directory]
  const ofAll = (url: string, directory: string) => ['start', '--url', url, '-j', '1', '--output-dir', directory]
  const lateMs = await Promise.all([wakeTheIdle(ofOne), wakeTheIdle(ofAll)])
  expect(Math.max(...lateMs)).toBeLessThan(1_000)
})
