import { usageError } from '../command-line/error.ts'
import { amountFlag, countFlag, durationFlag, leaseFlag, wordFlag } from '../command-line/flags.ts'
import { DURABILITIES, type Durability } from '../defaults.ts'
import { SCHEDULER_NAMES, type SchedulerName } from '../schedulers/types.ts'

/** The options of `pipe` as the command line gives them. */
export type PipeFlags = {
  scheduler?: string
  width?: string
  throttle?: string
  walltime?: string
  threshold?: string
  slots?: string
  family?: string
  grace?: string
  'max-array-size'?: string
  'memory-gb'?: string
  'idle-exit'?: string
  lease?: string
  queue?: string
  account?: string
  qos?: string
  reservation?: string
  'parallel-environment'?: string
  'memory-complex'?: string
  'post-step'?: string
  durability?: string
  choose?: boolean
}

/** Those of them that may be given several times. */
export type PipeLists = {
  job: readonly string[]
  tag: readonly string[]
  prologue: readonly string[]
  directive: readonly string[]
}

export type PipeOptions = {
  scheduler: SchedulerName
  width: number
  throttle: number | undefined
  walltimeSeconds: number
  threshold: number
  slots: number
  jobIds: number[] | undefined
  family: string | undefined
  tags: Record<string, string> | undefined
  choose: boolean
  graceSeconds: number
  arrayMost: number | undefined
  memoryBytes: number | undefined
  idleExitSeconds: number
  leaseSeconds: number | undefined
  queue: string | undefined
  account: string | undefined
  qos: string | undefined
  reservation: string | undefined
  parallelEnvironment: string | undefined
  memoryComplex: string | undefined
  prologue: readonly string[]
  directives: readonly string[]
  postStep: string | undefined
  durability: Durability
}

const GIB = 2 ** 30
/** With less, Node does not even start under h_vmem (hpc.md 3.3). */
const LEAST_ADDRESSES_GB = 1

/** What holds unless something else is said; in the help, too. */
export const USUAL = {
  width: 100,
  threshold: 10,
  slots: 1,
  walltime: '1h',
  grace: '2m',
  idleExit: '90s',
  idleExitHere: '2s',
}

/** Reads the options of a run. Throws a usage error at the first that cannot be understood; nothing has been written then. */
export function parsePipeOptions(flags: PipeFlags, lists: PipeLists): PipeOptions {
  const jobIds = lists.job.flatMap(text => text.split(',')).map(text => countFlag('--job', text, 1)!)
  const scheduler = parseScheduler(flags.scheduler)
  const memoryGb = amountFlag('--memory-gb', flags['memory-gb'])
  if (scheduler === 'sge' && memoryGb !== undefined && memoryGb < LEAST_ADDRESSES_GB)
    throw usageError(
      `Cannot run an element in that little memory as Grid Engine counts addresses, of which Node needs ${LEAST_ADDRESSES_GB} GiB: --memory-gb is ${memoryGb}`,
    )
  // On this machine another element costs nothing to start.
  const idleExit = flags['idle-exit'] ?? (scheduler === 'local' ? USUAL.idleExitHere : USUAL.idleExit)
  return {
    scheduler,
    width: countFlag('--width', flags.width, 1) ?? USUAL.width,
    throttle: countFlag('--throttle', flags.throttle, 1),
    walltimeSeconds: walltimeFlag('--walltime', flags.walltime ?? USUAL.walltime),
    threshold: countFlag('--threshold', flags.threshold, 1) ?? USUAL.threshold,
    slots: countFlag('--slots', flags.slots, 1) ?? USUAL.slots,
    jobIds: jobIds.length === 0 ? undefined : jobIds,
    family: flags.family,
    tags: lists.tag.length === 0 ? undefined : parseTags(lists.tag),
    choose: flags.choose ?? false,
    graceSeconds: durationFlag('--grace', flags.grace ?? USUAL.grace)!,
    arrayMost: countFlag('--max-array-size', flags['max-array-size'], 1),
    memoryBytes: memoryGb === undefined ? undefined : Math.trunc(memoryGb * GIB),
    idleExitSeconds: durationFlag('--idle-exit', idleExit)!,
    leaseSeconds: leaseFlag(flags.lease),
    queue: flags.queue,
    account: flags.account,
    qos: flags.qos,
    reservation: flags.reservation,
    parallelEnvironment: flags['parallel-environment'],
    memoryComplex: flags['memory-complex'],
    prologue: lists.prologue,
    directives: lists.directive,
    postStep: flags['post-step'],
    durability: wordFlag('--durability', flags.durability, DURABILITIES) ?? 'process',
  }
}

function parseScheduler(text: string | undefined): SchedulerName {
  if (text === undefined)
    throw usageError(`Cannot submit without --scheduler: choose one of ${SCHEDULER_NAMES.join(', ')}`)
  const known = SCHEDULER_NAMES.find(name => name === text)
  if (known !== undefined) return known
  throw usageError(`Cannot use scheduler ${text} as it is unknown: choose one of ${SCHEDULER_NAMES.join(', ')}`)
}

const CLOCK = /^(?:(\d+)-)?(\d+):([0-5]\d):([0-5]\d)$/

/** A wall time in seconds: as batch schedulers write it (`4:00:00`, `1-12:00:00`), or as every duration here (`4h`). */
export function walltimeFlag(name: string, text: string): number {
  const parts = CLOCK.exec(text)
  if (parts === null) return Math.ceil(durationFlag(name, text)!)
  const [days, hours, minutes, seconds] = parts.slice(1).map(part => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
  ]
  return countFlag(name, String(((days * 24 + hours) * 60 + minutes) * 60 + seconds), 1)!
}

function parseTags(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map(text => {
      const [name, ...value] = text.split('=')
      if (name === '' || value.length === 0)
        throw usageError(`Cannot read --tag as it must be NAME=VALUE: current value is ${text}`)
      return [name, value.join('=')]
    }),
  )
}
