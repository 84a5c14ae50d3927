import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { System } from '../../runner/capacity/system.ts'
import { findBinary } from '../../runner/launcher/binary.ts'
import {
  closeMemoryGroups,
  openMemoryGroups,
  RUNNER_LEAF,
  whyNoMemoryGroups,
} from '../../runner/launcher/memory-groups.ts'
import { openLauncher } from '../../runner/launcher/open.ts'
import type { Exited, LauncherKind } from '../../runner/launcher/types.ts'
import { kinds, makeDirectory, readText, waitUntil } from './harness.ts'

const MIB = 2 ** 20

/** A directory that looks like a cgroup of version 2 with these words in its files, and a system that is in it. */
function makeGroup(words: { controllers: string; subtree: string; procs: string }): { path: string; system: System } {
  const path = makeDirectory()
  writeFileSync(join(path, 'cgroup.controllers'), words.controllers)
  writeFileSync(join(path, 'cgroup.subtree_control'), words.subtree)
  writeFileSync(join(path, 'cgroup.procs'), words.procs)
  const proc: Record<string, string> = {
    '/proc/self/cgroup': '0::/\n',
    '/proc/self/mountinfo': `30 24 0:27 / ${path} rw - cgroup2 cgroup2 rw\n`,
  }
  const read = (name: string): string | undefined => proc[name] ?? (existsSync(name) ? readText(name) : undefined)
  const system = {
    read,
    list: () => [],
    env: {},
    listNvidiaGpus: () => undefined,
    fallback: { cpus: 1, memoryBytes: 1 },
  }
  return { path, system }
}

describe('openMemoryGroups()', () => {
  test('makes a group where limits are handed on already', () => {
    const { path, system } = makeGroup({ controllers: 'cpu memory', subtree: 'memory', procs: '1\n' })
    const made = openMemoryGroups(system)
    expect(made).toBe(join(path, `headrace-${process.pid}`))
    expect(readText(join(made!, 'cgroup.subtree_control'))).toBe('+memory')
    expect(existsSync(join(path, RUNNER_LEAF))).toBe(false)
  })

  test('moves itself out of the way where nobody else is in the group', () => {
    const { path, system } = makeGroup({ controllers: 'memory', subtree: '', procs: `${process.pid}\n` })
    expect(openMemoryGroups(system)).toBe(join(path, `headrace-${process.pid}`))
    expect(readText(join(path, RUNNER_LEAF, 'cgroup.procs'))).toBe(String(process.pid))
    expect(readText(join(path, 'cgroup.subtree_control'))).toBe('+memory')
  })

  test.each([
    ['of others', { controllers: 'memory', subtree: '', procs: `${process.pid}\n1\n` }],
    ['without the controller', { controllers: 'cpu', subtree: '', procs: `${process.pid}\n` }],
  ])('leaves a group %s alone', (_, words) => {
    const { path, system } = makeGroup(words)
    expect(openMemoryGroups(system)).toBeUndefined()
    expect(readdirSync(path).sort()).toEqual(['cgroup.controllers', 'cgroup.procs', 'cgroup.subtree_control'])
  })

  test('removes what a killed runner left, and nothing of one that lives', () => {
    const { path, system } = makeGroup({ controllers: 'memory', subtree: 'memory', procs: '' })
    // No kernel gives out numbers this large.
    for (const pid of [99_999_999, process.ppid])
      mkdirSync(join(path, `headrace-${pid}`, 'slot-1'), { recursive: true })
    openMemoryGroups(system)
    expect(readdirSync(path).filter(name => name.startsWith('headrace'))).toEqual(
      [`headrace-${process.ppid}`, `headrace-${process.pid}`].sort(),
    )
  })

  test('knows nothing to do without version 2', () => {
    const { system } = makeGroup({ controllers: 'memory', subtree: 'memory', procs: '' })
    expect(openMemoryGroups({ ...system, read: () => undefined })).toBeUndefined()
  })
})

describe('whyNoMemoryGroups()', () => {
  test.each([
    ['other processes', { controllers: 'memory', subtree: '', procs: `${process.pid}\n1\n` }, 'has other processes'],
    ['no controller', { controllers: 'cpu', subtree: '', procs: '' }, 'has no memory controller'],
    ['nothing', { controllers: 'memory', subtree: '', procs: `${process.pid}\n` }, undefined],
  ])('names %s', (_, words, reason) => {
    const { path, system } = makeGroup(words)
    expect(whyNoMemoryGroups(system)).toEqual(reason && expect.stringContaining(`${path} ${reason}`))
  })
})

test('closeMemoryGroups() lets processes into the group again', () => {
  const { path, system } = makeGroup({ controllers: 'memory', subtree: '', procs: `${process.pid}\n` })
  const made = openMemoryGroups(system)!
  writeFileSync(join(path, 'cgroup.procs'), '')
  closeMemoryGroups(made)
  expect(readText(join(path, 'cgroup.subtree_control'))).toBe('-memory')
  expect(readText(join(path, 'cgroup.procs'))).toBe(String(process.pid))
})

/** A launcher with a directory for groups, and what has ended there. */
async function openLimited(kind: LauncherKind, slots: number) {
  const directory = makeDirectory()
  const groups = join(directory, 'groups')
  mkdirSync(groups)
  const exited: Exited[] = []
  const started: number[] = []
  const launcher = await openLauncher({
    journal: join(directory, 'journal'),
    kind,
    slots,
    memoryGroups: groups,
    onStarted: events => void started.push(...events.map(({ tag }) => tag)),
    onExited: events => void exited.push(...events),
    onLost: reason => expect.unreachable(reason),
  })
  return { directory, groups, launcher, started, exited }
}

test.each(kinds)('a launcher of kind %s limits each job in the group of its slot', async kind => {
  const { directory, groups, launcher, exited } = await openLimited(kind, 1)
  /** Runs a job that shows what its slot's group says of it, and which process the slot is. */
  async function run(tag: number, memoryLimitBytes?: number): Promise<string[]> {
    const out = join(directory, `out-${tag}`)
    launcher.launch({
      tag,
      label: 'x',
      argv: ['bash', '-c', `cat ${groups}/*/memory.max ${groups}/*/cgroup.procs; echo; echo $PPID`],
      env: {},
      stdout: out,
      stderr: null,
      job: { id: tag, name: 'x', workflowId: 1, memoryLimitBytes },
    })
    await waitUntil(
      'it has ended',
      () => exited.length,
      count => count === tag,
    )
    return readFileSync(out, 'utf8').split(/\s+/).filter(Boolean)
  }
  const limited = await run(1, 64 * MIB + 1)
  const pid = limited.at(-1)!
  expect(limited.join('')).toBe(`${65 * MIB}${pid}${pid}`)
  expect((await run(2, 65 * MIB)).join('')).toBe(`${65 * MIB}${pid}${pid}`)
  expect((await run(3)).join('')).toBe(`max${pid}${pid}`)
  await launcher.close()
})

describe.skipIf(!kinds.includes('native'))('the native launcher', () => {
  test('whose slot is killed ends its job as killed, runs what was queued behind, and spares the others', async () => {
    const { directory, launcher, started, exited } = await openLimited('native', 2)
    const launch = (tag: number, script: string, after?: number): void =>
      launcher.launch({
        tag,
        after,
        label: 'x',
        argv: ['bash', '-c', script],
        env: {},
        stdout: join(directory, `out-${tag}`),
        stderr: null,
        job: { id: tag, name: 'x', workflowId: 1, memoryLimitBytes: 64 * MIB },
      })
    const end = join(directory, 'end')
    launch(1, 'echo $PPID; exec sleep 60')
    launch(2, `until [ -e ${end} ]; do sleep 0.05; done; exit 4`)
    launch(3, 'exit 5', 1)
    const slot = await waitUntil(
      'the first job runs',
      () => (existsSync(join(directory, 'out-1')) ? Number(readText(join(directory, 'out-1'))) : 0),
      pid => pid > 0,
    )
    // A job can print before its slot has told of its start, and without that word nobody knows that it ran.
    await waitUntil(
      'the start is told',
      () => started.includes(1),
      told => told,
    )
    process.kill(slot, 'SIGKILL')
    await waitUntil(
      'the two of the killed slot have ended',
      () => exited.length,
      count => count === 2,
    )
    writeFileSync(end, '')
    await waitUntil(
      'the other has ended',
      () => exited.length,
      count => count === 3,
    )
    expect(exited.map(({ tag, code, signal }) => [tag, code ?? -(signal ?? 0)])).toEqual([
      [1, -9],
      [3, 5],
      [2, 4],
    ])
    await launcher.close()
  })

  test('whose runner is gone lets processes into the group again', async () => {
    const home = makeDirectory()
    const groups = join(home, 'headrace-1')
    mkdirSync(join(home, RUNNER_LEAF))
    mkdirSync(groups)
    for (const path of [home, groups]) writeFileSync(join(path, 'cgroup.subtree_control'), '+memory')
    const launcher = spawn((await findBinary())!, [join(home, 'journal'), 'id', '0', groups])
    launcher.stdin.end()
    await once(launcher, 'exit')
    expect([home, groups].map(path => readText(join(path, 'cgroup.subtree_control')))).toEqual(['-memory', '-memory'])
  })
})
