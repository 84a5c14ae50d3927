import { join, resolve } from 'node:path'
import { LEASE_SECONDS } from '../api/core/leases.ts'
import type { ExpandedWorkflow } from '../api/core/spec/types.ts'
import { BINDINGS, type Binding } from './capacity/binding.ts'
import { type ServerAddress, serverAddress } from './client/server-address.ts'
import { usageError } from './command-line/error.ts'
import { amountFlag, countFlag, durationFlag, leaseFlag, sizeFlag, wordFlag } from './command-line/flags.ts'
import { DATABASE_NAME, DURABILITIES, type Durability, OUTPUT_DIR } from './defaults.ts'
import type { JobHooks } from './job-hooks.ts'
import { LOG_LEVELS, type LogLevel } from './log-file.ts'
import type { RunSummary } from './screen/types.ts'
import { STANDARD_INPUT } from './standard-input.ts'
import { parseTrial, type Trial, type TrialFlags } from './trial.ts'

/** The options of `run` as the command line gives them: everything is still text. */
export type RunFlags = TrialFlags & {
  target: string
  'output-dir'?: string
  db?: string
  'max-parallel-jobs'?: string
  'num-cpus'?: string
  'memory-gb'?: string
  'num-gpus'?: string
  overcommit?: boolean
  'time-limit'?: string
  'end-time'?: string
  'idle-exit'?: string
  lease?: string
  scratch?: string
  'log-level'?: string
  durability?: string
  'bind-to'?: string
  'max-log-size'?: string
  'job-threads'?: string
  'hash-outputs'?: boolean
  url?: string
  'ca-cert'?: string
  new?: boolean
  'retry-failed'?: boolean
  'skip-checks'?: boolean
  'scheduler-config-id'?: string
  'strict-scheduler-match'?: boolean
  /** Each may hold several labels, joined with commas. */
  labels?: readonly string[]
}

export type RunOptions = {
  /** What to run: a workflow file (absolute path, or - for standard input) or a workflow that exists already. */
  target:
    | { kind: 'file'; path: string }
    | { kind: 'workflow'; id: number }
    /** Made by the command itself: always a new workflow. */
    | { kind: 'expansion'; workflow: ExpandedWorkflow }
  controlPlane: { kind: 'server'; address: ServerAddress } | { kind: 'embedded'; dbPath: string }
  /** Absolute. */
  outputDir: string
  durability: Durability
  capacity: CapacityWish
  /** How large a log file of a job may get; absent = as large as it will. */
  maxLogBytes?: number
  /** Whether jobs keep to the cores that are counted for them; absent = none. */
  bindTo?: Binding
  /** How many finished jobs are made into completions at once; 1 = on the main path. */
  jobThreads: number
  /** Outputs are told with their sizes and hashes. */
  hashOutputs: boolean
  trial?: Trial
  /** After this long no new job starts and those that run are ended. */
  timeLimitSeconds?: number
  /** The same as a moment, such as the end of an allocation; epoch milliseconds. */
  endTimeMs?: number
  /** How long to stay without work. */
  idleExitSeconds?: number
  /** Below this each attempt has a directory of its own; absolute. */
  scratch?: string
  /** How long what is claimed stays this runner's without a word from it. */
  leaseSeconds: number
  /** What goes into the runner's log file at least. */
  logLevel: LogLevel
  schedulerConfigId?: number
  strictSchedulerMatch: boolean
  /** A sorted set. */
  labels: readonly string[]
  /** Let jobs pass that do not fit the schedulers of their file. */
  skipChecks: boolean
  /** What to do with a workflow of the same file that is there already. */
  known: 'continue' | 'retry-failed' | 'new'
  hooks?: JobHooks
}

export type RunSettings = Omit<RunOptions, 'target' | 'known'>

/** What the user says about this node; what is left out is detected. */
export type CapacityWish = {
  cpus?: number
  memoryBytes?: number
  gpus?: number
  /** The user may offer more than the machine has. */
  overcommit: boolean
  /** Queue-depth mode: this many jobs at once, requirements ignored. */
  slots?: number
}

/** How a run went. `refused`: nothing was run, and the message says why in one line (several for a workflow file). */
export type RunOutcome = { kind: 'done'; summary: RunSummary } | { kind: 'refused'; message: string; exitCode: 2 | 3 }

const GIB = 2 ** 30
/** A few lines from the beginning and the end tell something. */
const SMALLEST_LOG_BYTES = 1024

/**
 * Turns the options of the command line into typed ones. A target of digits only is the id of a workflow, anything else a file.
 * Throws a usage error at the first option that cannot be understood or does not go with another.
 */
export function parseRunOptions(flags: RunFlags, env: NodeJS.ProcessEnv, cwd: string): RunOptions {
  const target = parseTarget(flags.target, cwd)
  return { ...parseRunSettings(flags, env, cwd), target, known: parseKnown(flags, target) }
}

/** How to run, whatever is run. Throws a usage error as `parseRunOptions` does. */
export function parseRunSettings(flags: Omit<RunFlags, 'target'>, env: NodeJS.ProcessEnv, cwd: string): RunSettings {
  const outputDir = resolve(cwd, flags['output-dir'] ?? OUTPUT_DIR)
  const memoryGb = amountFlag('--memory-gb', flags['memory-gb'])
  return {
    controlPlane: parseControlPlane(flags, env, outputDir, cwd),
    outputDir,
    durability: wordFlag('--durability', flags.durability, DURABILITIES) ?? 'process',
    capacity: {
      cpus: countFlag('--num-cpus', flags['num-cpus'], 1),
      memoryBytes: memoryGb === undefined ? undefined : Math.trunc(memoryGb * GIB),
      gpus: countFlag('--num-gpus', flags['num-gpus'], 0),
      overcommit: flags.overcommit ?? false,
      slots: countFlag('--max-parallel-jobs', flags['max-parallel-jobs'], 1),
    },
    maxLogBytes: sizeFlag('--max-log-size', flags['max-log-size'], SMALLEST_LOG_BYTES),
    bindTo: wordFlag('--bind-to', flags['bind-to'], BINDINGS),
    jobThreads: countFlag('--job-threads', flags['job-threads'], 1) ?? 1,
    hashOutputs: flags['hash-outputs'] ?? false,
    trial: parseTrial(flags),
    timeLimitSeconds: durationFlag('--time-limit', flags['time-limit']),
    endTimeMs: momentFlag('--end-time', flags['end-time']),
    idleExitSeconds: durationFlag('--idle-exit', flags['idle-exit']),
    scratch: flags.scratch === undefined ? undefined : pathFlag('--scratch', flags.scratch, cwd),
    leaseSeconds: leaseFlag(flags.lease) ?? LEASE_SECONDS,
    logLevel: wordFlag('--log-level', flags['log-level'], LOG_LEVELS) ?? 'info',
    schedulerConfigId: countFlag('--scheduler-config-id', flags['scheduler-config-id'], 1),
    strictSchedulerMatch: flags['strict-scheduler-match'] ?? false,
    labels: parseLabels(flags.labels ?? []),
    skipChecks: flags['skip-checks'] ?? false,
  }
}

function pathFlag(name: string, text: string, cwd: string): string {
  if (text === '') throw usageError(`Cannot read ${name} as it is empty: name a directory`)
  return resolve(cwd, text)
}

/** A moment in ISO form, in epoch milliseconds. */
function momentFlag(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const ms = /^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(text) ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(ms)) return ms
  throw usageError(`Cannot read ${name} as it must be a moment like 2026-11-21T18:00:00Z: current value is ${text}`)
}

function parseTarget(text: string, cwd: string): RunOptions['target'] {
  if (text === '')
    throw usageError('Cannot run as the name of the workflow file is empty: give a file or a workflow id')
  if (!/^\d+$/.test(text)) return { kind: 'file', path: text === STANDARD_INPUT ? text : resolve(cwd, text) }
  return { kind: 'workflow', id: countFlag('the workflow id', text, 1)! }
}

function parseControlPlane(
  flags: Omit<RunFlags, 'target'>,
  env: NodeJS.ProcessEnv,
  outputDir: string,
  cwd: string,
): RunOptions['controlPlane'] {
  const address = serverAddress({ url: flags.url, db: flags.db, caCert: flags['ca-cert'] }, env)
  if (address !== undefined) return { kind: 'server', address }
  return { kind: 'embedded', dbPath: flags.db === undefined ? join(outputDir, DATABASE_NAME) : resolve(cwd, flags.db) }
}

function parseKnown(flags: RunFlags, target: RunOptions['target']): RunOptions['known'] {
  if (flags.new && flags['retry-failed']) {
    throw usageError('Cannot run with both --new and --retry-failed: a new workflow has no failed jobs')
  }
  if (flags.new && target.kind === 'workflow') {
    throw usageError(`Cannot run workflow ${target.id} with --new: give the workflow file to make another workflow`)
  }
  if (flags.new) return 'new'
  return flags['retry-failed'] ? 'retry-failed' : 'continue'
}

function parseLabels(texts: readonly string[]): string[] {
  const labels = texts.flatMap(text => text.split(',')).map(label => label.trim())
  if (labels.includes(''))
    throw usageError(`Cannot read --label as a label is empty: current value is ${texts.join(' ')}`)
  return [...new Set(labels)].sort()
}
