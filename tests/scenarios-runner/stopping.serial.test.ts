import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { readJournal } from '../../runner/launcher/journal.ts'
import { hasNative, launcherKinds, usualLauncher } from '../helpers/launcher-kinds.ts'
import { skipUnless } from '../helpers/skip.ts'
import { waitUntil } from '../launcher/harness.ts'
import { openSite, type Running, type Site } from './site.ts'

const withNative = skipUnless(hasNative, 'no C compiler: the native launcher is ended with its runner')

const RUN = ['run', 'workflow.yaml', '-j', '2']

const markedAs = (site: Site, mark: string): string[] =>
  readdirSync(site.directory).filter(name => name.startsWith(`${mark}_`))

/** Starts the workflow and waits until two of its jobs run. */
async function startTwo(site: Site, kind: string): Promise<Running> {
  const runner = site.start(RUN, { HEADRACE_LAUNCHER: kind })
  await waitUntil(
    'two jobs run',
    () => markedAs(site, 'started'),
    marks => marks.length === 2,
  )
  return runner
}

const statusesOf = async (site: Site): Promise<Record<string, number>> => {
  const { stdout } = await site.runTo(0, ['status', '1', '--format', 'json'])
  const counts: Record<string, number> = JSON.parse(stdout).jobs_by_status
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0))
}

/** Jobs that go on until they may end. */
const patient = (end = ''): string => `
name: patient
jobs:
  - name: job_{i}
    parameters: { i: '1:6' }
    command: |
      ${end}
      touch started_{i}
      until test -e go; do sleep 0.02; done
      touch ended_{i}
`

test.each(launcherKinds())(
  'S75 SIGINT lets what runs finish and takes nothing new, with the %s launcher',
  async kind => {
    const site = openSite(patient())
    const runner = await startTwo(site, kind)
    runner.child.kill('SIGINT')
    await waitUntil(
      'it says so',
      () => runner.output.stderr,
      text => /finish|Interrupt|Ctrl-C/i.test(text),
    )
    writeFileSync(site.path('go'), '')
    const { code, stdout } = await runner.ended
    expect(code).toBe(1)
    expect(stdout).toContain('Interrupted with 4 jobs left: the same command goes on.')
    expect(markedAs(site, 'ended')).toHaveLength(2)
    expect(await statusesOf(site)).toEqual({ completed: 2, ready: 4 })
    await site.runTo(0, RUN, { HEADRACE_LAUNCHER: kind })
    expect(markedAs(site, 'ended')).toHaveLength(6)
  },
)

test.each([
  ['a second SIGINT', usualLauncher, ['SIGINT', 'SIGINT']],
  ['SIGTERM', usualLauncher, ['SIGTERM']],
  ['SIGTERM', 'shell', ['SIGTERM']],
] as const)('S75 %s ends what runs (%s), and the same command runs it again', async (_, kind, signals) => {
  const site = openSite(patient())
  const runner = await startTwo(site, kind)
  for (const signal of signals) {
    runner.child.kill(signal)
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  const { code, stdout } = await runner.ended
  expect(code).toBe(1)
  expect(stdout).toContain('Interrupted with 6 jobs left')
  expect(markedAs(site, 'ended')).toEqual([])
  const lost = await site.rows('SELECT attempt_id, return_code, failure_class FROM result')
  expect(lost).toEqual(Array(2).fill({ attempt_id: 1, return_code: 152, failure_class: 'allocation_end' }))
  writeFileSync(site.path('go'), '')
  await site.runTo(0, RUN, { HEADRACE_LAUNCHER: kind })
  expect(markedAs(site, 'ended')).toHaveLength(6)
})

test('S75 a job that ends with 0 on TERM stays completed', async () => {
  const site = openSite(patient("trap 'touch saved_{i}; exit 0' TERM"))
  const runner = await startTwo(site, usualLauncher)
  runner.child.kill('SIGTERM')
  expect((await runner.ended).code).toBe(1)
  expect(markedAs(site, 'saved')).toHaveLength(2)
  expect(await statusesOf(site)).toEqual({ completed: 2, ready: 4 })
})

test.each(launcherKinds())('S75 a second SIGTERM kills what ignores the first, with the %s launcher', async kind => {
  const site = openSite(patient("trap '' TERM"))
  const runner = await startTwo(site, kind)
  runner.child.kill('SIGTERM')
  await new Promise(resolve => setTimeout(resolve, 300))
  expect(runner.hasEnded()).toBe(false)
  runner.child.kill('SIGTERM')
  const { code } = await runner.ended
  expect(code).toBe(1)
  expect(existsSync(site.path('ended_1'))).toBe(false)
  expect(await site.rows('SELECT failure_class FROM result')).toEqual(
    Array(2).fill({ failure_class: 'allocation_end' }),
  )
})

withNative('S75 SIGTERM to the runner and its launcher together ends the run', async () => {
  const site = openSite(patient())
  const runner = await startTwo(site, usualLauncher)
  const [life] = readJournal(site.journal).lives
  runner.child.kill('SIGTERM')
  process.kill(life!.pid, 'SIGTERM')
  const { code, stdout } = await runner.ended
  expect({ code, stdout }).toMatchObject({ code: 1 })
  expect(stdout).toContain('Interrupted with 6 jobs left')
  expect(await statusesOf(site)).toEqual({ ready: 6 })
})

test('the time limit of a run ends it, and the same command goes on', async () => {
  const site = openSite(patient())
  const { code, stdout } = await site.run([...RUN, '--time-limit', 'PT2S'])
  expect(code).toBe(1)
  expect(stdout).toContain('The time limit ended the run with 6 jobs left: the same command goes on.')
  writeFileSync(site.path('go'), '')
  await site.runTo(0, RUN)
})

test('runner cancel ends the jobs of a run that goes on', async () => {
  const site = openSite(patient())
  const runner = await startTwo(site, usualLauncher)
  await site.runTo(0, ['cancel', '1'])
  const { code, stdout } = await runner.ended
  expect(code).toBe(1)
  expect(stdout).toContain('The workflow was canceled.')
  // What waits is left as it is (contract/notes.md 7.3).
  expect(await statusesOf(site)).toEqual({ canceled: 2, ready: 4 })
})
