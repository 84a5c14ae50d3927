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

/** Starts a run whose quick job ends while nobody can be told of it, and kills the runner; slow still runs with its launcher, if that waits. */
async function interrupt(site: Site, env: NodeJS.ProcessEnv): Promise<void> {
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
}

const resultsOf = (site: Site) =>
  site.rows('SELECT job_id, attempt_id, return_code, failure_class FROM result ORDER BY id')
const succeeded = (job_id: number, attempt_id: number) => ({ job_id, attempt_id, return_code: 0, failure_class: null })

test.each(launcherKinds().filter(kind => kind === 'shell'))(
  'S73 S105 an exit that a killed runner could not tell any more is told by the next one, and what it ran runs again, with the %s launcher',
  async kind => {
    const site = openSite(WORKFLOW)
    const env = { HEADRACE_LAUNCHER: kind }
    await interrupt(site, env)
    await allGone(site)
    writeFileSync(site.path('finish'), '')
    const { stderr } = await site.runTo(0, RUN, env)
    expect(stderr).toContain('The last run was interrupted: 1 finished jobs recorded, 1 run again')
    expect(ran(site)).toEqual(['after', 'quick', 'slow', 'slow'])
    expect(await resultsOf(site)).toEqual([succeeded(1, 1), succeeded(2, 2), succeeded(3, 1)])
    const lost = await site.rows('SELECT job_id, attempt_id, failure_class FROM lost_attempt')
    expect(lost).toEqual([{ job_id: 2, attempt_id: 1, failure_class: 'node_lost' }])
    expect((await site.runTo(0, RUN, env)).stdout).toContain('finished before')
  },
)

test.each(launcherKinds().filter(kind => kind === 'native'))(
  'S73 S105 a job that outlives its killed runner goes on under the next one, and again, and is recorded once, with the %s launcher',
  async kind => {
    const site = openSite(WORKFLOW)
    const env = { HEADRACE_LAUNCHER: kind }
    await interrupt(site, env)
    const slow = readJournal(site.journal).launches.find(({ exit }) => exit === undefined)!
    const second = site.start(RUN, env)
    const goesOn = 'The last run was interrupted: 1 finished jobs recorded, 1 go on, 0 run again'
    await waitUntil(
      'the second runner goes on',
      () => second.output.stderr,
      said => said.includes(goesOn),
    )
    second.child.kill('SIGKILL')
    await second.ended
    expect(isGone(slow.pid)).toBe(false)
    const third = site.start(RUN, env)
    await waitUntil(
      'the third one does',
      () => third.output.stderr,
      said => said.includes('1 go on, 0 run again'),
    )
    writeFileSync(site.path('finish'), '')
    expect(await third.ended).toMatchObject({ code: 0 })
    expect(ran(site)).toEqual(['after', 'quick', 'slow'])
    expect(await resultsOf(site)).toEqual([succeeded(1, 1), succeeded(2, 1), succeeded(3, 1)])
    expect(await site.rows('SELECT job_id FROM lost_attempt')).toEqual([])
    expect(await site.rows('SELECT id FROM compute_node')).toHaveLength(1)
    expect((await site.runTo(0, RUN, env)).stdout).toContain('finished before')
  },
)

test.each(launcherKinds().filter(kind => kind === 'native'))(
  'S105 what runs for another workflow than the one that is asked for now is ended, with the %s launcher',
  async kind => {
    const site = openSite(WORKFLOW)
    const env = { HEADRACE_LAUNCHER: kind }
    await interrupt(site, env)
    const { launches } = readJournal(site.journal)
    writeFileSync(site.path('other.yaml'), 'name: other\njobs: [{ name: one, command: echo other >> ran }]')
    await site.runTo(0, ['run', 'other.yaml', '-j', '2'], env)
    expect(launches.map(({ pid }) => isGone(pid))).toEqual([true, true])
    writeFileSync(site.path('finish'), '')
    await site.runTo(0, RUN, env)
    expect(ran(site)).toEqual(['after', 'other', 'quick', 'slow', 'slow'])
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
