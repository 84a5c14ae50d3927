import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Detected } from '../capacity/detect.ts'
import { formatBytes } from '../screen/format.ts'
import { bad, type Finding, ok, warn } from './finding.ts'

/** The oldest Node that runs Headrace; package.json says the same to package managers. */
const LEAST_NODE = [20, 19] as const

export function checkNode(version: string, platform: string, arch: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const text = `Node ${version} on ${platform} ${arch}`
  if (major < LEAST_NODE[0] || (major === LEAST_NODE[0] && minor < LEAST_NODE[1]))
    return bad('node', `${text}: ${LEAST_NODE.join('.')} or newer is needed`)
  if (platform === 'linux') return ok('node', text)
  if (platform === 'darwin') return warn('node', `${text}: no CPU affinity and no exec here`)
  return bad('node', `${text}: jobs run on Linux and macOS only`)
}

export function checkCapacity({ cores, memory, gpus }: Detected): Finding {
  const parts = [
    `${cores.ids.length} cores (${cores.source})`,
    `${formatBytes(memory.bytes)} memory (${memory.source})`,
    `${gpus.ids.length} GPUs (${gpus.source})`,
  ]
  return ok('capacity', parts.join(', '))
}

/** The native launcher is built with the package or at first use; without it a stand-in starts the jobs. */
export function checkLauncher(binary: string | undefined): Finding {
  return binary === undefined
    ? warn('launcher', 'no native launcher and no C compiler: the stand-in is slower and cannot measure peak memory')
    : ok('launcher', binary)
}

/** Jobs are held to the memory they ask for either way; the kernel does it at once, and counts what they hold together. */
export function checkMemoryLimits(whyNotByKernel: string | undefined): Finding {
  if (whyNotByKernel === undefined) return ok('memory limits', 'by the kernel, in a cgroup for each slot')
  return ok('memory limits', `by a look at each job every second: ${whyNotByKernel}`)
}

/** By which command each is known, and what asks it for a sign of life. */
const SCHEDULERS: readonly { name: string; command: string; probe: readonly [string, ...string[]]; unless?: string }[] =
  [
    { name: 'Slurm', command: 'sbatch', probe: ['sinfo', '--noheader', '--format=%P'] },
    { name: 'Grid Engine', command: 'qconf', probe: ['qstat'] },
    // Grid Engine's commands have the same names.
    { name: 'PBS', command: 'qsub', probe: ['qstat', '-B'], unless: 'qconf' },
    { name: 'HTCondor', command: 'condor_submit', probe: ['condor_status', '-limit', '1'] },
  ]

/** A scheduler that is busy takes its time, but nobody waits longer for a check. */
const PROBE_MS = 5_000

/** Looks for batch schedulers and asks those there are. */
export function checkScheduler(env: NodeJS.ProcessEnv): Finding {
  const allocation = env.SLURM_JOB_ID ?? env.PBS_JOBID ?? env.JOB_ID
  const inside = allocation === undefined ? '' : `; this is inside allocation ${allocation}`
  const found = SCHEDULERS.filter(
    ({ command, unless }) => isOnPath(command, env) && !(unless !== undefined && isOnPath(unless, env)),
  )
  if (found.length === 0) return ok('scheduler', `none here: jobs run where runners are started${inside}`)
  const silent = found.flatMap(({ name, probe: [program, ...words] }) => {
    const { error, status, stderr } = spawnSync(program, words, { timeout: PROBE_MS, encoding: 'utf8', env })
    const why = error?.message ?? stderr.trim().split('\n')[0]
    return error === undefined && status === 0 ? [] : [`${name} does not answer: ${why}`]
  })
  if (silent.length > 0) return warn('scheduler', silent.join('; ') + inside)
  return ok('scheduler', found.map(({ name }) => name).join(', ') + inside)
}

function isOnPath(command: string, env: NodeJS.ProcessEnv): boolean {
  const directories = (env.PATH ?? '').split(':').filter(directory => directory !== '')
  return directories.some(directory => existsSync(join(directory, command)))
}
