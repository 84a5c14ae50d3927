import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { readJournal } from '../../runner/launcher/journal.ts'
import { launcherKinds } from '../helpers/launcher-kinds.ts'
import { isGone, waitUntil } from '../launcher/harness.ts'
import { startServer } from './server.ts'
import { openSite, type Site } from './site.ts'

const RUN = ['run', 'workflow.yaml', '-j', '2']

const WORKFLOW = `
name: patient
files: [{ name: made, path: made.txt }]
jobs:
  - name: quick
    command: 'until test -e go; do sleep 0.02; done; echo quick >> ran; date > \${files.output.made}'
  - { name: slow, command: 'echo slow >> ran; until test -e finish; do sleep 0.02; done' }
  - { name: after, command: 'echo after >> ran', depends_on: [quick, slow] }
`

/** Waits until the journal has both launches and slow is at work. */
async function bothRun(site: Site): Promise<void> {
  await waitUntil(
    'both run',
    () => ({ launches: readJournal(site.journal).launches.length, ran: ran(site) }),
    seen => seen.launches === 2 && seen.ran.length === 1,
  )
}

const ran = (site: Site): string[] =>
  existsSync(site.path('ran')) ? readFileSync(site.path('ran'), 'utf8').trim().split('\n').sort() : []

/** Waits until no job of the journal runs any more, so that what is allowed next is only for its next copy. */
async function allGone(site: Site): Promise<void> {
  const { launches } = readJournal(site.journal)
  await waitUntil(
    'the first copies are gone',
    () => launches.map(({ pid }) => isGone(pid)),
    gone => gone.every(Boolean),
  )
}

const exitsIn = (site: Site): number =>
  readJournal(site.journal).launches.filter(({ exit }) => exit !== undefined).length

test.each(launcherKinds())(
  'S73 S105 an exit that a killed runner could not tell any more is told by the next one, with the %s launcher',
  async kind => {
    const site = openSite(WORKFLOW)
    const env = { HEADRACE_LAUNCHER: kind }
    const runner = site.start(RUN, env)
    await bothRun(site)
    process.kill(runner.pid, 'SIGSTOP')
    writeFileSync(site.path('go'), '')
    await waitUntil(
      'the exit stands in the journal',
      () => exitsIn(site),
      count => count === 1,
    )
    runner.child.kill('SIGKILL')
    await runner.ended
    await allGone(site)

    writeFileSync(site.path('finish'), '')
    const { stderr } = await site.runTo(0, RUN, env)
    expect(stderr).toContain('The last run was interrupted: 1 finished jobs recorded, 1 run again')
    expect(ran(site)).toEqual(['after', 'quick', 'slow', 'slow'])
    const results = await site.rows('SELECT job_id, attempt_id, return_code, failure_class FROM result ORDER BY id')
    expect(results).toEqual([
      { job_id: 1, attempt_id: 1, return_code: 0, failure_class: null },
      { job_id: 2, attempt_id: 2, return_code: 0, failure_class: null },
      { job_id: 3, attempt_id: 1, return_code: 0, failure_class: null },
    ])
    const lost = await site.rows('SELECT job_id, attempt_id, failure_class FROM lost_attempt')
    expect(lost).toEqual([{ job_id: 2, attempt_id: 1, failure_class: 'node_lost' }])
    expect((await site.runTo(0, RUN, env)).stdout).toContain('finished before')
  },
)

test.each(launcherKinds())(
  'S105 a runner whose launcher is killed goes on with a new one, with the %s launcher',
  async kind => {
    const site = openSite(WORKFLOW)
    const runner = site.start(RUN, { HEADRACE_LAUNCHER: kind })
    await bothRun(site)
    const { lives } = readJournal(site.journal)
    process.kill(lives[0]!.pid, 'SIGKILL')
    await allGone(site)
    writeFileSync(site.path('go'), '')
    writeFileSync(site.path('finish'), '')
    const { code, stderr } = await runner.ended
    expect({ code, stderr }).toMatchObject({ code: 0 })
    expect(stderr).toContain('The launcher of jobs was killed: 2 jobs run again')
    expect(ran(site)).toEqual(['after', 'quick', 'slow', 'slow'])
  },
)

test('S72 a server that is away for a while loses nothing: jobs go on, and are told when it is back', async () => {
  const site = openSite(`
name: away
jobs: [{ name: 'job_{i}', command: 'sleep 0.3; echo {i} >> ran', parameters: { i: '1:8' } }]
`)
  const first = await startServer(site)
  const runner = site.start([...RUN, '--url', first.url])
  await waitUntil(
    'jobs run',
    () => ran(site).length,
    count => count >= 2,
  )
  first.server.child.kill('SIGKILL')
  await first.server.ended
  await sleep(1_000)
  expect(runner.hasEnded()).toBe(false)
  const second = await startServer(site, { port: new URL(first.url).port })
  const { code, stderr } = await runner.ended
  expect({ code, stderr }).toMatchObject({ code: 0 })
  second.server.child.kill('SIGTERM')
  await second.server.ended
  expect(ran(site)).toEqual(['1', '2', '3', '4', '5', '6', '7', '8'])
})

test('runner run leaves no process, journal or state of its own behind', async () => {
  const site = openSite("name: tidy\njobs: [{ name: leaves, command: 'setsid sleep 300 & sleep 0.1' }]")
  await site.runTo(0, RUN)
  expect(
    readdirSync(site.path('headrace_output/runner')).flatMap(host =>
      readdirSync(site.path(`headrace_output/runner/${host}`)),
    ),
  ).toEqual([])
})
