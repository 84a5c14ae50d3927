import type { Measured } from '../monitor/meter.ts'

/** What the launcher is asked for and what it tells; both implementations and the runner's loop share these. */

export type LaunchRequest = {
  /** Chosen by the caller, a whole number from 0 to 2^32 - 2, used once in a launcher's life. */
  tag: number
  /** Opaque text for the journal's start record, at most 1,000 bytes once percent-encoded. */
  label: string
  argv: readonly [string, ...string[]]
  /** Put over the launcher's own environment; null takes a variable away. */
  env: Record<string, string | null>
  cwd?: string
  /** A file, created or truncated; null is /dev/null. */
  stdout: string | null
  /** As stdout; 'stdout' shares its open file. */
  stderr: string | null | 'stdout'
  /** Starts the moment the launch with this tag has ended, without asking Node. */
  after?: number
  /** Cores to run on. The stand-in binds by taskset(1), and not at all where there is none. */
  cpus?: readonly number[]
  /** What whoever watches the launches needs to know (runner/monitor/watch.ts). A launcher heeds the limit where it has cgroups. */
  job?: WatchedJob
}

export type WatchedJob = {
  id: number
  name: string
  workflowId: number
  /** What its processes may hold together. */
  memoryLimitBytes?: number
  /** What is launched waits for it only, as srun does: there is nothing to sample. */
  runsElsewhere?: boolean
  /** Its log files, where their size is limited. */
  logPaths?: readonly string[]
}

/** Moments are milliseconds since the epoch, with a fraction. */
export type Started = { tag: number; pid: number; startedAtMs: number }

/** Which part of a start failed; `canceled` is a launch that still waited when the launcher was closed. */
export type FailedStep = 'stdout' | 'stderr' | 'cwd' | 'cpus' | 'fork' | 'exec' | 'request' | 'canceled'

/** Exactly one of `code`, `signal` and `error` is there. */
export type Exited = {
  tag: number
  code?: number
  signal?: number
  /** Why the program could not be started: the name of an errno, such as ENOENT. */
  error?: string
  failedStep?: FailedStep
  startedAtMs: number
  exitedAtMs: number
  userMs: number
  systemMs: number
  /** Absent where it cannot be known; never a guess. */
  peakMemoryBytes?: number
  /** Processes that were still there when the job's main process had ended, and were killed. */
  strays: number
  /** What samples of its processes together have shown, where they were taken. */
  measured?: Measured
  /** It was killed for holding so much memory. */
  overMemoryBytes?: number
}

export interface Launcher {
  readonly kind: LauncherKind
  /** Every launch ends in exactly one `onExited`, unless it was recalled or the launcher was lost. */
  launch(request: LaunchRequest): void
  /** Sends a signal to the whole process group of a launch and to its known strays. Unknown or ended tags are ignored. */
  signal(tag: number, signal: NodeJS.Signals): void
  /**
   * Takes back a launch that waits for its predecessor; what waited for it waits for that one instead. False when it has already
   * started. `onAnswer` is told before any later event is reported.
   */
  recall(tag: number, onAnswer?: (recalled: boolean) => void): Promise<boolean>
  /** Ends the helper when all launches have ended; kills what still runs when asked to. */
  close(options?: { kill?: boolean }): Promise<void>
}

export type LauncherKind = 'native' | 'shell'

export type LauncherEvents = {
  /** What could be read at once comes in one call, starts before exits. */
  onStarted(started: Started[]): void
  onExited(exited: Exited[]): void
  /** The helper itself died. Its processes have been ended and the exits it had put in the journal reported; the rest is lost. */
  onLost(reason: string): void
}

export type LauncherOptions = LauncherEvents & {
  /** The file that starts and exits are put in before they are reported; several lives of launchers may share it. */
  journal: string
  kind?: LauncherKind | 'auto'
  /** The cgroup below which jobs with a limit run (memory-groups.ts). */
  memoryGroups?: string
  /**
   * For how long what runs goes on after its runner was killed, waiting for another one to take it over (runner/launcher/adopt.ts). Absent
   * or 0, and always with the stand-in: it is ended at once.
   */
  patienceMs?: number
  /** How many launches usually run at once; the caller counts, the launcher does not refuse more. */
  slots: number
}
