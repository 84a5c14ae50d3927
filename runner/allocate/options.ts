import { realpathSync } from 'node:fs'
import { resolve } from 'node:path'
import { PLAN_NAME } from '../../api/contract/allocation.ts'
import { parseWalltime } from '../../api/core/spec/slurm-text.ts'
import { usageError } from '../command-line/error.ts'
import { amountFlag, countFlag, durationFlag, leaseFlag } from '../command-line/flags.ts'
import { LEASE } from '../command-line/options.ts'
import { OUTPUT_DIR } from '../defaults.ts'
import { readRelayToken } from '../relay/token-file.ts'
import { SCHEDULER_NAMES, type Scheduler } from '../schedulers/types.ts'
import type { PlanConfig } from './config.ts'
import { usableSeconds, WALLTIMES_SECONDS } from './walltimes.ts'

/** How much of a cluster to use, and how to ask for it. */
export const PLAN_OPTIONS = {
  scheduler: { type: 'string', valueHint: SCHEDULER_NAMES.join('|'), description: 'batch scheduler to ask' },
  walltime: {
    type: 'string',
    valueHint: 'TIME,…',
    description:
      'wall times to choose from, such as 1h,4h or 04:00:00: the shortest that fits a job is taken (default: 30m to 7 days)',
  },
  queue: {
    type: 'string',
    valueHint: 'NAME,…',
    description: 'queues or partitions in order of preference: when one refuses or is full the next is asked',
  },
  'max-nodes': {
    type: 'string',
    valueHint: 'N',
    description: 'nodes in use, starting and asked for together at most (default: 10)',
  },
  'min-nodes-per-request': { type: 'string', valueHint: 'N', description: 'ask for no fewer at once (default: 1)' },
  'max-nodes-per-request': {
    type: 'string',
    valueHint: 'N',
    description: 'ask for no more at once, if the site allows as many (default: --max-nodes)',
  },
  backlog: {
    type: 'string',
    valueHint: 'N',
    description: 'requests that may wait in a queue at once, over all workflows of the server (default: 1)',
  },
  'num-cpus': { type: 'string', valueHint: 'N', description: 'CPUs to ask of a node (default: as the largest job)' },
  'memory-gb': {
    type: 'string',
    valueHint: 'N',
    description: 'memory to ask of a node in GiB (default: enough for the jobs that its CPUs hold)',
  },
  'num-gpus': { type: 'string', valueHint: 'N', description: 'GPUs to ask of a node (default: as the largest job)' },
  'idle-exit': {
    type: 'string',
    valueHint: 'TIME',
    description: 'a node is given back when it had no work for this long (default: 90s)',
  },
  ...LEASE,
  'min-utilization': {
    type: 'string',
    valueHint: 'PART',
    description: 'ask only when ready jobs fill this part of the nodes, from 0 to 1 (default: 0)',
  },
  'max-wait': {
    type: 'string',
    valueHint: 'TIME',
    description: 'ask all the same when a job has waited this long (default: 10m)',
  },
  'finish-within': {
    type: 'string',
    valueHint: 'TIME',
    description: 'use as many nodes as it takes to do what is ready within this (default: the wall time)',
  },
  'cancel-after': {
    type: 'string',
    valueHint: 'TIME',
    description: 'cancel queued requests that no job has needed for this long (default: 1m)',
  },
  'pend-limit': {
    type: 'string',
    valueHint: 'TIME',
    description: 'give up on a queue when a request that can never start has waited this long (default: 10m)',
  },
  'submits-per-minute': { type: 'string', valueHint: 'N', description: 'submissions a minute at most (default: 4)' },
  'node-hours-per-day': {
    type: 'string',
    valueHint: 'N',
    description: 'node hours to ask for within a day at most, over all workflows of the server (default: no limit)',
  },
  'array-most': {
    type: 'string',
    valueHint: 'N',
    description: 'elements of one array at most (default: what the scheduler says)',
  },
  label: { type: 'string', valueHint: 'LABEL,…', description: 'labels of the runners: they take only jobs with these' },
  'scheduler-config-id': { type: 'string', valueHint: 'ID', description: 'take jobs bound to this scheduler too' },
  account: { type: 'string', valueHint: 'NAME', description: 'account or project to charge' },
  qos: { type: 'string', valueHint: 'NAME', description: 'quality of service' },
  reservation: { type: 'string', valueHint: 'NAME', description: 'reservation to use' },
  'site-prologue': {
    type: 'string',
    valueHint: 'LINE',
    description: "line of shell before the runner, such as module load; comes after the workflow's own site.prologue",
  },
  'site-directive': {
    type: 'string',
    valueHint: 'OPTION',
    description: "option of the scheduler, such as --constraint=gpu; comes after the workflow's own site.directives",
  },
  'parallel-environment': {
    type: 'string',
    valueHint: 'NAME',
    description: "Grid Engine's parallel environment for several CPUs of a host (default: smp)",
  },
  'memory-complex': {
    type: 'string',
    valueHint: 'NAME',
    description: "Grid Engine's name for memory (default: h_vmem)",
  },
  cluster: {
    type: 'string',
    valueHint: 'NAME',
    description: 'what backlog and rates are counted by, where there are several clusters (default: the scheduler)',
  },
  'node-url': {
    type: 'string',
    valueHint: 'URL',
    description: 'where runners on nodes find the server, if not at --url: that of a relay, for one',
  },
  'node-token-file': {
    type: 'string',
    valueHint: 'PATH',
    description: 'private file with the token that they show there (default: what this command shows to the server)',
  },
} as const

type PlanFlags = { readonly [K in keyof typeof PLAN_OPTIONS]?: string } & { 'output-dir'?: string }

/** What the flags do not say: of the workflow, the server and the site. */
export type PlanSurroundings = {
  url: string
  caCert: string | undefined
  cwd: string
  /** Lines of the workflow, then those of the command line. */
  site: { prologue: readonly string[]; directives: readonly string[] }
}

const GIB = 2 ** 30

/** Reads how much of a cluster to use. Throws a usage error at the first option that cannot be understood or met. */
export async function readPlanConfig(
  flags: PlanFlags,
  scheduler: Scheduler,
  { url, caCert, cwd, site }: PlanSurroundings,
): Promise<PlanConfig> {
  const nodesMost = countFlag('--max-nodes', flags['max-nodes'], 1) ?? 10
  const requestMost = countFlag('--max-nodes-per-request', flags['max-nodes-per-request'], 1) ?? nodesMost
  const requestLeast = countFlag('--min-nodes-per-request', flags['min-nodes-per-request'], 1) ?? 1
  if (requestLeast > Math.min(requestMost, nodesMost)) {
    throw usageError(
      `Cannot ask for at least ${requestLeast} nodes at once as at most ${Math.min(requestMost, nodesMost)} are allowed`,
    )
  }
  const walltimes = wallTimes(flags.walltime)
  const memoryGb = amountFlag('--memory-gb', flags['memory-gb'])
  if (scheduler.name === 'sge' && memoryGb !== undefined && memoryGb < 1) {
    throw usageError(
      `Cannot use --memory-gb as Grid Engine limits address space, of which a runner reserves 1 GiB: current value is ${memoryGb}`,
    )
  }
  const limits = await scheduler.limits()
  const queues = (words(flags.queue) ?? ['']).map(name => ({
    name,
    walltime_most_seconds: limits.walltimeSeconds?.[name],
  }))
  const longest = Math.max(...queues.map(queue => queue.walltime_most_seconds ?? Number.POSITIVE_INFINITY))
  if (walltimes[0]! > longest) {
    throw usageError(`Cannot ask for ${walltimes[0]} s of wall time as the queues allow ${longest} s at most`)
  }
  return {
    scheduler: scheduler.name,
    cluster: flags.cluster ?? scheduler.name,
    queues,
    walltimes_seconds: walltimes.filter(seconds => seconds <= longest),
    cpus: countFlag('--num-cpus', flags['num-cpus'], 1),
    memory_bytes: memoryGb === undefined ? undefined : Math.trunc(memoryGb * GIB),
    gpus: countFlag('--num-gpus', flags['num-gpus'], 0),
    nodes_most: nodesMost,
    request_least: requestLeast,
    request_most: requestMost,
    backlog: countFlag('--backlog', flags.backlog, 1) ?? 1,
    utilization_least: partFlag('--min-utilization', flags['min-utilization']),
    wait_most_seconds: durationFlag('--max-wait', flags['max-wait']) ?? 600,
    finish_within_seconds: durationFlag('--finish-within', flags['finish-within']),
    cancel_after_seconds: durationFlag('--cancel-after', flags['cancel-after']) ?? 60,
    pend_limit_seconds: durationFlag('--pend-limit', flags['pend-limit']) ?? 600,
    submits_per_minute: countFlag('--submits-per-minute', flags['submits-per-minute'], 1) ?? 4,
    node_hours_per_day: amountFlag('--node-hours-per-day', flags['node-hours-per-day']),
    array_most: countFlag('--array-most', flags['array-most'], 1) ?? limits.arrayMost,
    idle_exit_seconds: durationFlag('--idle-exit', flags['idle-exit']) ?? 90,
    lease_seconds: leaseFlag(flags.lease),
    labels: words(flags.label) ?? [],
    scheduler_config_id: countFlag('--scheduler-config-id', flags['scheduler-config-id'], 1),
    account: flags.account,
    qos: flags.qos,
    reservation: flags.reservation,
    prologue: [...site.prologue],
    directives: [...site.directives],
    parallel_environment: flags['parallel-environment'],
    memory_complex: flags['memory-complex'],
    url,
    token_file: tokenFile(flags['node-token-file'], cwd),
    ca_cert: caCert && realpathSync(caCert),
    output_dir: resolve(cwd, flags['output-dir'] ?? OUTPUT_DIR),
    cwd,
  }
}

/** A file that cannot be used is told now, not when the first runner is refused. */
function tokenFile(path: string | undefined, cwd: string): string | undefined {
  if (path === undefined) return undefined
  const whole = resolve(cwd, path)
  readRelayToken(whole)
  return whole
}

/** The name of a plan; the one that a workflow has unless told otherwise. */
export function planName(text: string | undefined): string {
  if (text === undefined) return 'default'
  if (PLAN_NAME.test(text)) return text
  throw usageError(
    `Cannot read --plan as it must be 1 to 64 letters, digits, dots, hyphens or underscores: current value is ${text}`,
  )
}

function wallTimes(text: string | undefined): number[] {
  const given = words(text)
  if (given === undefined) return [...WALLTIMES_SECONDS]
  const seconds = given.map(word => (word.includes(':') ? parseWalltime(word) : durationFlag('--walltime', word)))
  const bad = seconds.findIndex(one => one === undefined || !Number.isFinite(one) || usableSeconds(one) < 1)
  if (bad >= 0) {
    throw usageError(
      `Cannot use --walltime as it must be a time like 1h or 04:00:00 that leaves more than its start and its end: current value is ${given[bad]}`,
    )
  }
  return [...new Set(seconds as number[])].map(Math.ceil).sort((a, b) => a - b)
}

function partFlag(name: string, text: string | undefined): number {
  if (text === undefined) return 0
  const part = Number(text)
  if (/^\d*\.?\d+$/.test(text) && part <= 1) return part
  throw usageError(`Cannot read ${name} as it must be a number from 0 to 1: current value is ${text}`)
}

function words(text: string | undefined): string[] | undefined {
  if (text === undefined) return undefined
  return [...new Set(text.split(',').map(word => word.trim()))].filter(word => word !== '')
}
