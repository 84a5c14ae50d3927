import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createMemoryGuard } from '../../runner/failure/memory-guard.ts'
import { openLauncher } from '../../runner/launcher/open.ts'
import type { Exited, Launcher, LauncherKind, LaunchRequest, Started } from '../../runner/launcher/types.ts'
import { createMonitor } from '../../runner/monitor/monitor.ts'
import type { ReadTable, Seen } from '../../runner/monitor/process-table.ts'
import { type Watch, type Watched, type Watcher, watchLaunches } from '../../runner/monitor/watch.ts'
import { existsAt, jobFixture, kinds, makeDirectory, readText, waitUntil } from '../launcher/harness.ts'

const EVERY_MS = 30
const MIB = 2 ** 20

/** A watcher that wants every job and keeps what it saw last. */
function eyewitness(more: Partial<Watcher> = {}): Watcher & { last: Map<number, number[]>; looks: number } {
  const witness = {
    everyMs: EVERY_MS,
    needsProcesses: true,
    worksWhenIdle: false,
    last: new Map<number, number[]>(),
    looks: 0,
    wants: () => true,
    look(processes: ReadonlyMap<Watched, readonly Seen[]>) {
      witness.looks++
      for (const [{ job }, seen] of processes)
        witness.last.set(
          job.id,
          seen.map(({ pid }) => pid),
        )
    },
    ...more,
  }
  return witness
}

type Site = {
  launcher: Launcher
  directory: string
  started: Started[]
  exited: Exited[]
  launch(request: Partial<LaunchRequest>): void
}

async function openWatched(kind: LauncherKind, watch: Watch): Promise<Site> {
  const directory = makeDirectory()
  const started: Started[] = []
  const exited: Exited[] = []
  const open = watch.around(events => openLauncher({ journal: join(directory, 'journal'), kind, slots: 2, ...events }))
  const launcher = await open({
    onStarted: events => void started.push(...events),
    onExited: events => void exited.push(...events),
    onLost: () => {},
  })
  onTestFinished(async () => {
    watch.close()
    await launcher.close({ kill: true })
  })
  let tag = 0
  const launch = (request: Partial<LaunchRequest>): void => {
    tag++
    launcher.launch({
      tag,
      label: 'x',
      argv: ['true'],
      env: {},
      stdout: null,
      stderr: null,
      job: jobOf(tag),
      ...request,
    })
  }
  return { launcher, directory, started, exited, launch }
}

const jobOf = (id: number) => ({ id, name: `job ${id}`, workflowId: 1 })

const allExited = (site: Site, count: number): Promise<Exited[]> =>
  waitUntil(
    `${count} jobs have ended`,
    () => site.exited,
    exited => exited.length === count,
  )

test.each(kinds)('watchLaunches() finds the processes of each job of a launcher of kind %s', async kind => {
  const witness = eyewitness()
  const watch = watchLaunches()
  watch.add(witness)
  const site = await openWatched(kind, watch)
  const daemon = join(site.directory, 'daemon')
  site.launch({ argv: ['bash', '-c', `bash ${jobFixture('double-fork.sh')} ${daemon}; sleep 60 & wait`] })
  site.launch({ argv: ['sleep', '60'] })
  await waitUntil(
    'the daemon runs',
    () => existsAt(site.directory, 'daemon') && readText(daemon),
    text => text !== false && text !== '',
  )
  // A daemon of the stand-in's is adopted by the system and looks like anybody's.
  const expected = kind === 'native' ? 3 : 2
  await waitUntil(
    'each job is seen with its own processes',
    () => [witness.last.get(1)?.length, witness.last.get(2)?.length],
    ([first, second]) => first === expected && second === 1,
  )
  if (kind === 'native') expect(witness.last.get(1)).toContain(Number(readText(daemon)))
})

test('watchLaunches() reads /proc once for all who look, and not for jobs that nobody wants', async () => {
  let reads = 0
  const readTable: ReadTable = () => {
    reads++
    return new Map()
  }
  const watch = watchLaunches({ readTable })
  const picky = eyewitness({ wants: ({ job }) => job.id === 2 })
  const second = eyewitness({ wants: ({ job }) => job.id === 2 })
  const blind = eyewitness({ needsProcesses: false })
  for (const watcher of [picky, second, blind]) watch.add(watcher)
  const site = await openWatched(kinds[0]!, watch)
  site.launch({ argv: ['sleep', '60'] })
  await waitUntil(
    'the blind one has looked',
    () => blind.looks,
    looks => looks >= 2,
  )
  expect([reads, picky.looks]).toEqual([0, 0])
  site.launch({ argv: ['sleep', '60'] })
  await waitUntil(
    'both have looked at the second job',
    () => second.looks,
    looks => looks >= 3,
  )
  expect([picky.looks, reads]).toEqual([second.looks, second.looks])
})

test('watchLaunches() forgets what was recalled or lost', async () => {
  const witness = eyewitness()
  const watch = watchLaunches()
  watch.add(witness)
  const site = await openWatched(kinds[0]!, watch)
  site.launch({ argv: ['sleep', '0.2'] })
  site.launch({ after: 1 })
  await site.launcher.recall(2)
  await allExited(site, 1)
  const { looks } = witness
  await waitUntil(
    'nothing more is looked at',
    () => witness.looks - looks,
    late => late === 0,
  )
  expect(witness.last.has(2)).toBe(false)
})

test.each(kinds)('S25 createMemoryGuard() kills what holds more than it asked for, of kind %s', async kind => {
  const notes: string[] = []
  const watch = watchLaunches()
  watch.add({
    ...createMemoryGuard({ kill: tag => watch.kill(tag), note: line => notes.push(line) }),
    everyMs: EVERY_MS,
  })
  const site = await openWatched(kind, watch)
  // Two processes that each stay below the limit, and together do not.
  const hold = `head -c 48M /dev/zero | tail -n 1 | sleep 60`
  site.launch({ argv: ['bash', '-c', `${hold} & ${hold} & wait`], job: { ...jobOf(1), memoryLimitBytes: 64 * MIB } })
  site.launch({
    argv: ['bash', '-c', `${hold.replace('60', '1.5')}`],
    job: { ...jobOf(2), memoryLimitBytes: 64 * MIB },
  })
  const exited = await allExited(site, 2)
  const [greedy, modest] = [1, 2].map(tag => exited.find(end => end.tag === tag)!)
  expect(greedy).toMatchObject({ signal: 9 })
  expect(greedy!.overMemoryBytes).toBeGreaterThan(64 * MIB)
  expect(modest).toMatchObject({ code: 0 })
  expect(modest!.overMemoryBytes).toBeUndefined()
  expect(notes).toEqual([expect.stringMatching(/^Job job 1 \(1\) is ended .*: \d+ MiB used, 64 MiB asked$/)])
})

test('createMemoryGuard() counts what processes share once', async () => {
  const notes: string[] = []
  const guard = createMemoryGuard({ kill: () => {}, note: line => notes.push(line) })
  const own: Seen = { pid: process.pid, parent: 1, group: 1, cpuMs: 0, residentBytes: 10_000 * MIB }
  const watched = { tag: 1, job: { ...jobOf(1), memoryLimitBytes: 5_000 * MIB }, pid: process.pid, startedAtMs: 0 }
  // The table says that it holds 10 GiB, its own pages say that it does not.
  guard.look(new Map([[watched, [own]]]), 10_000)
  expect(notes).toEqual([])
})

test('createMonitor() tells of a job that no sample saw what the kernel counted, and no more', async () => {
  const monitor = createMonitor({
    workflowId: 1,
    config: { sampleMs: 60_000, flushMs: 60_000, jobs: 'summary', node: undefined },
    path: '/nonexistent/metrics.db',
    clock: Date.now,
    onTrouble: message => expect.unreachable(message),
  })
  const watch = watchLaunches()
  watch.add(monitor)
  const site = await openWatched(kinds[0]!, watch)
  site.launch({})
  site.launch({ job: { ...jobOf(2), workflowId: 2 } })
  const exited = await allExited(site, 2)
  const [own, foreign] = [1, 2].map(tag => exited.find(end => end.tag === tag)!)
  expect(Object.keys(own!.measured!).filter(key => own!.measured![key as 'avgCpuPercent'] !== undefined)).toEqual([
    'avgCpuPercent',
  ])
  expect(foreign!.measured).toBeUndefined()
  await monitor.close()
  expect(existsAt('/nonexistent', 'metrics.db')).toBe(false)
})
