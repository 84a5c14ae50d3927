import type { System } from '../capacity/system.ts'

/** What `--scheduler` may say. Torque is PBS with other options, so both are one implementation. */
export const SCHEDULER_NAMES = ['slurm', 'pbs', 'torque', 'sge', 'htcondor', 'local'] as const
export type SchedulerName = (typeof SCHEDULER_NAMES)[number]

/** What we want from a batch scheduler. Amounts are per node; an array is made of elements that are all alike. */
export type AllocationRequest = {
  /** Unique: `hr-` and 8 hex digits (see name.ts). A submission whose outcome is unknown is looked up by it. */
  name: string
  /** Absolute; script, output and what else belongs to the allocation lie here. Made when it is not there. */
  directory: string
  /** A simple command as the shell reads it, for `exec`: what each element runs, or each node when `perNode`. */
  command: string
  /** Where the command runs; `directory` when absent. */
  cwd?: string
  nodes: number
  cores: number
  memoryBytes: number
  gpus: number
  walltimeSeconds: number
  /** Elements `first` to `last`; at most `throttle` of them run at once. Absent: a plain job, whose worker number is 1. */
  array?: { first: number; last: number; throttle?: number }
  /** With several nodes: start the command on each of them, not only on the first. */
  perNode: boolean
  /** Queue, or partition. */
  queue?: string
  account?: string
  qos?: string
  reservation?: string
  /** A file of `export` lines that the script reads before everything else: what must not stand in a script, such as tokens. */
  environmentFile?: string
  /** What the script exports besides its own. */
  environment?: Readonly<Record<string, string>>
  site?: SiteLines
}

/** Lines of the site, put into every generated script as they are. */
export type SiteLines = {
  /** Shell lines before the command: modules, conda. */
  prologue?: readonly string[]
  /** Options without the directive's mark: `--constraint=gpu` becomes `#SBATCH --constraint=gpu`. */
  directives?: readonly string[]
  /** Grid Engine's parallel environment for several cores of one host (`smp`) and for several hosts (`mpi`). */
  parallelEnvironment?: string
  /** Grid Engine's memory complex (`h_vmem`); it counts per slot. */
  memoryComplex?: string
}

/** A file of a submission. */
export type ScriptFile = { name: string; text: string }

export type SubmitOutcome =
  /** `id` is the whole allocation's, in the scheduler's own words; `acknowledgedAtMs` is when its answer was read. */
  | { kind: 'submitted'; id: string; acknowledgedAtMs: number }
  /** The scheduler said no, in these words: nothing was submitted. */
  | { kind: 'refused'; message: string }
  /** It may have been submitted: look the name up before any repeat (submit.ts does). */
  | { kind: 'unknown'; message: string }

export type Verdict = 'queued' | 'running' | 'gone' | 'unknown'

/** One element, or a plain job, as the scheduler lists it. */
export type ListedElement = {
  /** As `SubmitOutcome.id` has it. */
  allocation: string
  /**
   * From `array.first`, as in the scheduler; HTCondor's, which count from 0 in each submission, from 1. undefined for a plain job (not in
   * HTCondor) or for what stands for a whole array.
   */
  index?: number
  state: Verdict
  /** The scheduler's own word for the state. */
  word: string
  /** Why it waits, or why it is held. */
  reason?: string
  /** It will never start by itself: an error state, a hold that is not ours, a request nothing can satisfy. */
  stuck: boolean
  name: string
  /** Host names as the scheduler prints them. */
  nodes?: string
  secondsLeft?: number
}

export type Listing =
  | {
      kind: 'listed'
      /** Taken before the command ran: what was acknowledged later is not in it. */
      startedAtMs: number
      elements: readonly ListedElement[]
      /** Those of the ids asked for that are proven to be over. An id in neither place is unknown. */
      gone: ReadonlySet<string>
    }
  /** The command failed, timed out or printed what cannot be read. Nothing follows from it. */
  | { kind: 'unknown'; startedAtMs: number; message: string }

/** `ids` of allocations, and `names` whose ids nobody knows yet. */
export type ListQuery = { ids: readonly string[]; names?: readonly string[] }

/** What to cancel of an allocation. */
export type CancelWhich = { kind: 'all' } | { kind: 'queued' } | { kind: 'elements'; indices: readonly number[] }

export type ControlOutcome =
  /** Accepted, or there was nothing left to act on. */
  | { kind: 'done' }
  /** This scheduler cannot do that. */
  | { kind: 'unsupported'; message: string }
  | { kind: 'refused'; message: string }
  | { kind: 'unknown'; message: string }

/** What the scheduler says of a request without taking it. */
export type ProbeOutcome =
  | { kind: 'accepted'; message: string }
  | { kind: 'refused'; message: string }
  | { kind: 'unsupported'; message: string }
  | { kind: 'unknown'; message: string }

/** Figures of the site; what it does not say is absent. */
export type SiteLimits = {
  /** Largest number of elements in one array. */
  arrayMost: number
  /** Longest walltime by queue or partition. */
  walltimeSeconds?: Readonly<Record<string, number>>
  /** Where a request goes that names no queue. */
  defaultQueue?: string
}

/** What an allocation looks like from inside. What is absent the scheduler does not say. */
export type Inside = {
  scheduler: SchedulerName
  /** The whole allocation's, as `SubmitOutcome.id` has it. */
  id: string
  /** The element's own id in the scheduler's words, for its commands and in messages. */
  elementId: string
  index?: number
  /** 1 to N; 1 in a plain job. */
  worker: number
  /** The name it was submitted with, where it is one of ours. */
  name?: string
  queue?: string
  nodes: number
  nodeNames: readonly string[]
  /** Which of the nodes this is, from 0, where one runner was started on each. */
  nodeRank?: number
  cores?: number
  memoryBytes?: number
  gpus?: number
  /** How often it was started before: requeued, preempted, evicted. */
  restarts: number
  /** Walltime as requested, when the script says so. */
  walltimeSeconds?: number
  /** When our script began, when it says so. */
  startedAtMs?: number
  /** A directory that goes with the allocation. */
  scratch?: string
  /** How many runners of the same submission may start in the same moment. */
  runnersAtOnce?: number
}

export type TimeLeft =
  /** undefined: there is no limit. */
  { kind: 'known'; seconds: number | undefined } | { kind: 'unknown'; message: string }

/**
 * One batch scheduler. Every call is one command of its client programs (or few), bounded in time; none throws for what the scheduler
 * does: trouble is in the outcome.
 */
export type Scheduler = {
  readonly name: SchedulerName
  /** The files of a submission, pure; the first is what the submit command is given, the others belong to it. */
  renderScript(request: AllocationRequest): readonly [ScriptFile, ...ScriptFile[]]
  /** Writes the files (each whole or not at all) and submits once. Never repeat after `unknown`: see submit.ts. */
  submit(request: AllocationRequest): Promise<SubmitOutcome>
  /** Submits a file that is there already, written by somebody else; `cwd` is where the client program runs. Once, as `submit`. */
  submitScript(path: string, cwd: string): Promise<SubmitOutcome>
  /** One machine-readable listing for everything that is asked for; asks nobody when nothing is. */
  list(query: ListQuery): Promise<Listing>
  cancel(id: string, which: CancelWhich): Promise<ControlOutcome>
  /** Changes how many elements may run at once. */
  setThrottle(id: string, most: number): Promise<ControlOutcome>
  /** Has the request checked without submitting it, where the scheduler can. */
  probe(request: AllocationRequest): Promise<ProbeOutcome>
  limits(): Promise<SiteLimits>
  /** What this process's environment says of the allocation it is in; undefined when it is in none of this scheduler. */
  inside(system: Pick<System, 'env' | 'read'>): Inside | undefined
  /** Asks the scheduler how long this allocation may still run. */
  timeLeft(inside: Inside): Promise<TimeLeft>
}
