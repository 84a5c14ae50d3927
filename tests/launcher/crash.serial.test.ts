import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readJournal, recordLife } from '../../runner/launcher/journal.ts'
import { readProcess } from '../../runner/launcher/processes.ts'
import { formatRecord } from '../../runner/launcher/records.ts'
import { endSurvivors } from '../../runner/launcher/survivors.ts'
import {
  existsAt,
  isGone,
  jobFixture,
  kinds,
  launcherSources,
  makeDirectory,
  openSite,
  readText,
  waitUntil,
} from './harness.ts'

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

async function startRunner(kind: string) {
  const directory = makeDirectory()
  const journal = join(directory, 'journal')
  const runner: ChildProcess = spawn(process.execPath, [outfile, kind, journal, directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(runner.stdout!, 'data')
  const jobs = ['stays', 'leaves'].map(name => Number(readText(join(directory, name))))
  const [life] = readJournal(journal).lives
  return { directory, journal, runner, jobs, launcher: life!.pid }
}

async function killRunner(runner: ChildProcess) {
  const gone = once(runner, 'exit')
  runner.kill('SIGKILL')
  await gone
}

describe.each(kinds)('S105 with kind %s', kind => {
  test('a killed runner takes its jobs along, and their exits are no results', async () => {
    const { directory, journal, runner, jobs, launcher } = await startRunner(kind)
    await killRunner(runner)
    await waitUntil('the launcher is gone', () => isGone(launcher), Boolean)
    expect(jobs.map(isGone)).toEqual([true, true])
    expect(readJournal(journal).launches.filter(({ exit, cut }) => exit && !cut)).toEqual([])
    expect(existsAt(directory, 'never')).toBe(false)
    expect(await endSurvivors(journal)).toEqual({ ended: 0 })
  })

  test('endSurvivors() ends what a runner and a launcher that were killed together left behind', async () => {
    const { directory, journal, runner, jobs, launcher } = await startRunner(kind)
    // Stopped first: it must not see the runner's end.
    process.kill(launcher, 'SIGSTOP')
    await killRunner(runner)
    process.kill(launcher, 'SIGKILL')
    await waitUntil('the launcher is gone', () => isGone(launcher), Boolean)
    const { ended } = await endSurvivors(journal)
    expect(jobs.map(isGone)).toEqual([true, true])
    expect(ended).toBeGreaterThan(0)
    expect(existsAt(directory, 'never')).toBe(false)
    expect(await endSurvivors(journal)).toEqual({ ended: 0 })
  })

  test('endSurvivors() refuses while the runner lives', async () => {
    const { journal, runner, jobs, launcher } = await startRunner(kind)
    await expect(endSurvivors(journal)).rejects.toThrow(
      `Cannot end the jobs of another runner as it is still running: process ${runner.pid}`,
    )
    expect(jobs.map(isGone)).toEqual([false, false])
    await killRunner(runner)
    await endSurvivors(journal)
    await waitUntil('all is gone', () => [...jobs, launcher].every(isGone), Boolean)
  })

  test('a killed launcher is told as lost once its jobs are gone, with the exits it had recorded', async () => {
    const site = await openSite(kind)
    const pidFile = join(site.directory, 'pid')
    await site.run({ argv: ['true'] })
    const tag = site.launch({ argv: ['bash', jobFixture('start-child-and-wait.sh'), pidFile] })
    await site.startOf(tag)
    const pids = await waitUntil(
      'the job runs',
      () => (existsAt(site.directory, 'pid') ? readText(pidFile) : ''),
      text => text.endsWith('\n'),
    )
    // An exit that was recorded and could not be reported: the record is what a dying launcher leaves.
    const [life] = readJournal(site.journal).lives
    const waiting = site.launch({ argv: ['true'], after: tag })
    appendFileSync(site.journal, formatRecord('S', life!.launcherId, waiting, 0, 0, 0, 1, 'recorded'))
    appendFileSync(site.journal, formatRecord('E', life!.launcherId, waiting, 6, 0, 0, 0, 1, 2, 3, 4, 0, 0, 0))
    process.kill(life!.pid, 'SIGKILL')
    await waitUntil(
      'the loss is told',
      () => site.lost,
      lost => lost.length > 0,
    )
    expect(pids.split(' ').map(Number).map(isGone)).toEqual([true, true])
    expect(await site.exitOf(waiting)).toMatchObject({ code: 6 })
    expect(site.exited.map(exit => exit.tag)).not.toContain(tag)
    expect(site.lost).toHaveLength(1)
    expect(await endSurvivors(site.journal)).toEqual({ ended: 0 })
  })
})

test('endSurvivors() leaves a process alone that was given the pid of a job', async () => {
  const journal = join(makeDirectory(), 'journal')
  const stranger = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' })
  const pid = stranger.pid!
  recordLife(journal, 'abcdef', 'native', 0)
  const ticks = readProcess(pid)!.startTicks
  appendFileSync(journal, formatRecord('S', 'abcdef', 1, pid, ticks - 50, ticks - 40, 1, 'job'))
  expect(await endSurvivors(journal)).toEqual({ ended: 0 })
  expect(isGone(pid)).toBe(false)
  // The same pid with the right start time is the job.
  recordLife(journal, 'fedcba', 'native', 0)
  appendFileSync(journal, formatRecord('S', 'fedcba', 1, pid, ticks, ticks, 1, 'job'))
  expect(await endSurvivors(journal)).toEqual({ ended: 1 })
  expect(isGone(pid)).toBe(true)
})

test('endSurvivors() finds by its mark what no record tells of', async () => {
  const journal = join(makeDirectory(), 'journal')
  recordLife(journal, 'abcdef', 'native', 0)
  const forked = spawn('sleep', ['60'], {
    stdio: 'ignore',
    env: { ...process.env, HEADRACE_LAUNCH: '012345.7 abcdef.3' },
  })
  expect(await endSurvivors(journal)).toEqual({ ended: 1 })
  expect(isGone(forked.pid!)).toBe(true)
})

test('endSurvivors() finds processes that go from one program to the next all the time', async () => {
  const directory = makeDirectory()
  const journal = join(directory, 'journal')
  const script = join(directory, 'again.sh')
  writeFileSync(script, '#!/bin/sh\nexec "$0"\n', { mode: 0o755 })
  for (let round = 0; round < 20; round++) {
    const launcherId = `abcdef${round}`
    recordLife(journal, launcherId, 'native', 0)
    const env = { ...process.env, HEADRACE_LAUNCH: `${launcherId}.1` }
    const chain = spawn(script, { stdio: 'ignore', env, detached: true })
    await endSurvivors(journal)
    expect(isGone(chain.pid!), `round ${round}`).toBe(true)
  }
})
