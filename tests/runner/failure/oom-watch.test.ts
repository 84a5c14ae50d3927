import { expect, test } from 'vitest'
import type { System } from '../../../runner/capacity/system.ts'
import { watchOom } from '../../../runner/failure/oom-watch.ts'
import { RUNNER_LEAF } from '../../../runner/launcher/memory-groups.ts'

const systemOf = (files: Record<string, string>): System => ({
  read: path => files[path],
  list: () => [],
  env: {},
  listNvidiaGpus: () => undefined,
  fallback: { cpus: 1, memoryBytes: 1 },
})

const V2 = {
  '/proc/self/cgroup': '0::/job_7\n',
  '/proc/self/mountinfo': '30 24 0:27 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n',
}
const EVENTS = '/sys/fs/cgroup/job_7/memory.events'
const count = (kills: number, groups = 0): string =>
  `low 0\nhigh 0\nmax 3\noom ${kills}\noom_kill ${kills}\noom_group_kill ${groups}\n`

test('watchOom() tells each kill once, and none from before it looked first', () => {
  const files: Record<string, string> = { ...V2, [EVENTS]: count(4) }
  const watch = watchOom(systemOf(files))
  expect(watch.hasKilled()).toBe(false)
  files[EVENTS] = count(5)
  expect(watch.hasKilled()).toBe(true)
  expect(watch.hasKilled()).toBe(false)
})

test('watchOom() explains as many ends as there were kills, and none much later', () => {
  const files: Record<string, string> = { ...V2, [EVENTS]: count(0) }
  let now = 10_000
  const watch = watchOom(systemOf(files), () => now)
  files[EVENTS] = count(3)
  expect([watch.hasKilled(), watch.hasKilled()]).toEqual([true, true])
  now += 5_000
  expect(watch.hasKilled()).toBe(false)
})

test('watchOom() explains one end by a group that was killed whole', () => {
  const files: Record<string, string> = { ...V2, [EVENTS]: count(0) }
  const watch = watchOom(systemOf(files))
  files[EVENTS] = count(7, 1)
  expect([watch.hasKilled(), watch.hasKilled()]).toEqual([true, false])
})

test('watchOom() of a runner in a leaf of its own looks at the group above', () => {
  const files: Record<string, string> = { ...V2, '/proc/self/cgroup': `0::/job_7/${RUNNER_LEAF}\n`, [EVENTS]: count(0) }
  const watch = watchOom(systemOf(files))
  files[EVENTS] = count(1)
  expect(watch.hasKilled()).toBe(true)
})

test('watchOom() knows the counter of cgroups of version 1', () => {
  const files: Record<string, string> = {
    '/proc/self/cgroup': '9:memory:/slurm/job\n',
    '/proc/self/mountinfo': '30 24 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n',
  }
  const path = '/sys/fs/cgroup/memory/slurm/job/memory.oom_control'
  const watch = watchOom(systemOf(files))
  files[path] = 'oom_kill_disable 0\nunder_oom 0\noom_kill 1\n'
  expect(watch.hasKilled()).toBe(true)
})

test('watchOom() says no where nothing can be read', () => {
  expect(watchOom(systemOf({})).hasKilled()).toBe(false)
})
