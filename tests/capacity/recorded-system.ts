import type { System } from '../../runner/capacity/system.ts'

/** A system made of recorded files, so that detection is tested on machines that are not at hand. */
export function recordedSystem(files: Record<string, string>, more: Partial<System> = {}): System {
  return {
    read: path => files[path],
    list: path => [...new Set(namesBelow(Object.keys(files), `${path}/`))],
    env: {},
    listNvidiaGpus: () => undefined,
    fallback: { cpus: 3, memoryBytes: 5_000 },
    ...more,
  }
}

const namesBelow = (paths: string[], directory: string): string[] =>
  paths.filter(path => path.startsWith(directory)).map(path => path.slice(directory.length).split('/')[0]!)

/** The files of a plain machine without any limit: 8 cores, 16 GiB. */
export const PLAIN = {
  '/proc/self/status': 'Name:\tnode\nCpus_allowed:\tff\nCpus_allowed_list:\t0-7\n',
  '/proc/meminfo': 'MemTotal:       16777216 kB\nMemFree:        1024 kB\n',
}

/** The same under cgroups of version 2, in a group two levels deep. */
export const VERSION_2 = {
  ...PLAIN,
  '/proc/self/cgroup': '0::/system.slice/job_7\n',
  '/proc/self/mountinfo': '35 24 0:30 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n',
}

/** The same under version 1, controllers mounted apart, as Slurm on older clusters sets it up. */
export const VERSION_1 = {
  ...PLAIN,
  '/proc/self/cgroup': '4:memory:/slurm/uid_1/job_7\n2:cpu,cpuacct:/slurm/uid_1/job_7\n0::/\n',
  '/proc/self/mountinfo':
    '33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n' +
    '35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n' +
    '41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n',
}
