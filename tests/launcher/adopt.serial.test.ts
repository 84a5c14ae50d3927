import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { afterAll, beforeAll, expect } from 'vitest'
import { type Adoption, adoptLauncher } from '../../runner/launcher/adopt.ts'
import { readJournal } from '../../runner/launcher/journal.ts'
import { formatRecord } from '../../runner/launcher/records.ts'
import { endSurvivors } from '../../runner/launcher/survivors.ts'
import type { Exited } from '../../runner/launcher/types.ts'
import { hasNative } from '../helpers/launcher-kinds.ts'
import { skipUnless } from '../helpers/skip.ts'
import { existsAt, isGone, jobFixture, launcherSources, makeDirectory, readText, waitUntil } from './harness.ts'

/** The stand-in ends with its runner. */
const test = skipUnless(hasNative, 'no C compiler: taking over what a killed runner has left')

const program = mkdtempSync(join(tmpdir(), 'headrace-runner-with-jobs-'))
const outfile = join(program, 'runner-with-jobs.mjs')
beforeAll(async () => {
  execFileSync('sh', [join(launcherSources, 'native/build.sh'), program])
  await build({
    entryPoints: [jobFixture('runner-with-jobs.ts')],
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile,
  })
})
afterAll(() => rmSync(program, { recursive: true }))

/** Starts a runner with two jobs that never end by themselves, and kills it. */
async function startAndKill({ patienceMs = 60_000 } = {}) {
  const directory = makeDirectory()
  const journal = join(directory, 'journal')
  const runner: ChildProcess = spawn(process.execPath, [outfile, 'native', journal, directory, String(patienceMs)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(runner.stdout!, 'data')
  const gone = once(runner, 'exit')
  runner.kill('SIGKILL')
  await gone
  const jobs = ['stays', 'leaves'].map(name => Number(readText(join(directory, name))))
  return { directory, journal, jobs, launcher: readJournal(journal).lives[0]!.pid }
}

function use(adoption: Adoption) {
  const exited: Exited[] = []
  const lost: string[] = []
  const launcher = adoption.open({
    onStarted() {},
    onExited: events => void exited.push(...events),
    onLost: reason => void lost.push(reason),
  })
  return { launcher, exited, lost }
}

test('adoptLauncher() takes over what a killed runner has left running: it goes on, and its exit comes here once', async () => {
  const { directory, journal, jobs } = await startAndKill()
  const adoption = (await adoptLauncher(journal))!
  expect(adoption.running.map(({ label }) => label).sort()).toEqual(['job 0', 'job 1'])
  expect(jobs.map(isGone)).toEqual([false, false])
  const { launcher, exited, lost } = use(adoption)
  writeFileSync(join(directory, 'stays.go'), '')
  await waitUntil(
    'the exit is told',
    () => exited,
    events => events.length > 0,
  )
  expect(exited).toMatchObject([{ tag: 0, code: 7 }])
  launcher.launch({ tag: adoption.nextTag, label: 'new', argv: ['true'], env: {}, stdout: null, stderr: null })
  await waitUntil(
    'a new launch ends',
    () => exited,
    events => events.length > 1,
  )
  launcher.signal(1, 'SIGKILL')
  await waitUntil(
    'the other one ends',
    () => exited,
    events => events.length > 2,
  )
  await launcher.close({ kill: true })
  expect(exited.map(({ tag, code, signal }) => [tag, code ?? signal])).toEqual([
    [0, 7],
    [adoption.nextTag, 0],
    [1, 9],
  ])
  expect(lost).toEqual([])
  // What had not started when the runner died never does.
  expect(existsAt(directory, 'never')).toBe(false)
  expect(await endSurvivors(journal)).toEqual({ ended: 0 })
})

test('adoptLauncher() takes over after more launches than fit the arguments of one call', async () => {
  const { journal } = await startAndKill()
  const { launcherId } = readJournal(journal).lives[0]!
  const records = Array.from({ length: 150_000 }, (_, n) => formatRecord('S', launcherId, n + 10, 0, 0, 0, 1, 'old'))
  appendFileSync(journal, `\n${records.join('')}`)
  const adoption = (await adoptLauncher(journal))!
  expect(adoption.nextTag).toBe(150_010)
  await adoption.end()
})

test('a launcher without a runner puts exits in the journal, and is gone with its last job', async () => {
  const { directory, journal, jobs, launcher } = await startAndKill()
  writeFileSync(join(directory, 'stays.go'), '')
  process.kill(jobs[1]!, 'SIGTERM')
  await waitUntil('it is gone', () => isGone(launcher), Boolean)
  expect(readJournal(journal).launches.find(({ tag }) => tag === 0)).toMatchObject({ cut: false, exit: { code: 7 } })
  expect(await adoptLauncher(journal)).toBeUndefined()
})

test('a launcher that nobody takes over ends its jobs in time, and their exits are no results', async () => {
  const { journal, jobs, launcher } = await startAndKill({ patienceMs: 200 })
  await waitUntil('it is gone', () => isGone(launcher), Boolean)
  expect(jobs.map(isGone)).toEqual([true, true])
  expect(readJournal(journal).launches.map(({ cut }) => cut)).toEqual([true, true])
})

test('a runner that dies before it answers for the jobs gains them no time', async () => {
  const { journal, jobs, launcher } = await startAndKill({ patienceMs: 1_500 })
  // Taken over, and never used.
  expect(await adoptLauncher(journal)).toBeDefined()
  await waitUntil('its jobs are gone', () => jobs.every(isGone) && isGone(launcher), Boolean)
})

test('endSurvivors() ends a launcher that waits at once, with its jobs', async () => {
  const { journal, jobs, launcher } = await startAndKill()
  const before = performance.now()
  await endSurvivors(journal)
  expect(performance.now() - before).toBeLessThan(9_000)
  expect([...jobs, launcher].every(isGone)).toBe(true)
})

test('end() of an adoption ends the launcher and its jobs', async () => {
  const { journal, jobs, launcher } = await startAndKill()
  const adoption = (await adoptLauncher(journal))!
  await adoption.end()
  await waitUntil('all is gone', () => [...jobs, launcher].every(isGone), Boolean)
  expect(readJournal(journal).launches.every(({ exit }) => exit !== undefined)).toBe(true)
})
