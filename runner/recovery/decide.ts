/** What to do about jobs that did not succeed: which run again, and with how much memory and time. Pure. */
import { parseDuration } from '../../api/core/duration.ts'
import { parseMemory } from '../../api/core/memory.ts'
import { formatMemory, formatRuntime } from './amounts.ts'

/** A job that did not succeed, with its latest result, as far as it has one. */
export type FailedJob = {
  id: number
  name: string
  requirementsId: number
  /** Results it has that are no success, over all runs. */
  failures: number
  failureClass?: string
  returnCode?: number
  peakMemoryBytes?: number
  seconds?: number
  /** A limit of the job's own, in seconds: it ends the job, whatever its requirements say. */
  timeLimitSeconds?: number
}

export type Requirements = { id: number; name: string; memory: string; runtime: string }

export type Policy = {
  memoryMultiplier: number
  runtimeMultiplier: number
  maxMemoryBytes: number
  maxRuntimeSeconds: number
  /** A job that has failed so often is left alone. */
  maxFailures: number
}

export type Cause = 'memory' | 'time' | 'node' | 'deterministic' | 'other'
export type Decision = {
  job_id: number
  name: string
  cause: Cause
  action: 'rerun' | 'leave'
  reason: string
  /** The job's own limit from now on, where it has one that was too short. */
  time_limit_seconds?: number
}
export type Raise = {
  resource_requirements_id: number
  name: string
  memory?: { from: string; to: string }
  runtime?: { from: string; to: string }
}
/** A raise, the jobs it is for, and how many others have the set: then it stays as it is, and those jobs get one of their own. */
export type Recovery = Raise & { job_ids: number[]; other_jobs: number }
export type Plan = { jobs: Decision[]; changes: Recovery[] }

/** Ends that are nobody's fault but the node's. */
const LOST_WITH_NODE: ReadonlySet<string> = new Set(['node_lost', 'lease_expired', 'allocation_end'])
/** 128 + SIGKILL: what the kernel's memory killer leaves, where nobody has looked closer. */
const KILLED = 137
/** Torc's code for a job that its time limit ended. */
const TIMED_OUT = 152

/** Why a job did not succeed, as far as its latest result tells. */
export function causeOf({ failureClass, returnCode }: FailedJob): Cause {
  if (failureClass === 'oom' || returnCode === KILLED) return 'memory'
  if (failureClass !== undefined && LOST_WITH_NODE.has(failureClass)) return 'node'
  if (failureClass === 'timeout' || returnCode === TIMED_OUT) return 'time'
  return failureClass === 'deterministic' ? 'deterministic' : 'other'
}

/**
 * Decides for every job and every set of requirements. Those that ran out of what a set gives get more, as much as the neediest of them;
 * jobs that stand at a cap are left alone, since they would fail again. `users` tells how many jobs have a set.
 */
export function planRecovery(
  jobs: readonly FailedJob[],
  sets: readonly Requirements[],
  users: ReadonlyMap<number, number>,
  policy: Policy,
): Plan {
  const byId = new Map(sets.map(set => [set.id, set]))
  const raises = new Map<number, Recovery>()
  const decided = jobs.map(job => decide(job, byId.get(job.requirementsId), policy, raises))
  for (const raise of raises.values())
    raise.other_jobs = (users.get(raise.resource_requirements_id) ?? 0) - raise.job_ids.length
  return { jobs: decided.map(decision => decision()), changes: [...raises.values()] }
}

/** What is said can be told once the needs of all are known. */
type Decided = () => Decision

function decide(job: FailedJob, set: Requirements | undefined, policy: Policy, raises: Map<number, Recovery>): Decided {
  const cause = causeOf(job)
  const say: Say = (action, reason) => () => ({
    job_id: job.id,
    name: job.name,
    cause,
    action,
    reason: typeof reason === 'string' ? reason : reason(),
  })
  if (job.failures >= policy.maxFailures) {
    return say('leave', `it has failed ${job.failures} times, and ${policy.maxFailures} is the most (--max-failures)`)
  }
  switch (cause) {
    case 'memory':
      return raiseNeed('memory', job, set, policy, raises, say)
    case 'time':
      if (job.timeLimitSeconds !== undefined) return raiseOwnLimit(job.timeLimitSeconds, policy, say)
      return raiseNeed('runtime', job, set, policy, raises, say)
    case 'node':
      return say('rerun', 'its node or allocation ended, not the job')
    case 'deterministic':
      return say('leave', 'it would fail the same way again')
    case 'other':
      return say(
        'rerun',
        `it failed with return code ${job.returnCode ?? 'unknown'}, which more memory or time does not change`,
      )
  }
}

type Say = (action: Decision['action'], reason: string | (() => string)) => Decided

/** What memory and time differ in, when a set of requirements is raised. */
const NEEDS = {
  memory: {
    word: 'memory',
    flag: '--max-memory',
    parse: parseMemory,
    format: formatMemory,
    used: (job: FailedJob) => job.peakMemoryBytes,
    multiplier: (policy: Policy) => policy.memoryMultiplier,
    cap: (policy: Policy) => policy.maxMemoryBytes,
  },
  runtime: {
    word: 'time',
    flag: '--max-runtime',
    parse: parseDuration,
    format: formatRuntime,
    used: (job: FailedJob) => job.seconds,
    multiplier: (policy: Policy) => policy.runtimeMultiplier,
    cap: (policy: Policy) => policy.maxRuntimeSeconds,
  },
} as const

function raiseNeed(
  kind: keyof typeof NEEDS,
  job: FailedJob,
  set: Requirements | undefined,
  policy: Policy,
  raises: Map<number, Recovery>,
  say: Say,
): Decided {
  const { word, flag, parse, format, used, multiplier, cap } = NEEDS[kind]
  const before = set && parse(set[kind])
  if (set === undefined || before === undefined)
    return say('rerun', `it ran out of ${word}, and what it requires is unknown`)
  const most = cap(policy)
  const after = Math.min(Math.max(before, used(job) ?? 0) * multiplier(policy), most)
  if (after <= before) {
    return say('leave', `it ran out of ${word} with ${set[kind]}, and ${format(most)} is the cap (${flag})`)
  }
  const raise = raiseOf(set, raises)
  raise.job_ids.push(job.id)
  const known = raise[kind] === undefined ? 0 : parse(raise[kind].to)!
  if (after > known) raise[kind] = { from: set[kind], to: format(after) }
  return say('rerun', () => {
    const who = raise.other_jobs > 0 ? 'it' : set.name
    return `it ran out of ${word}: ${who} goes from ${set[kind]} to ${raise[kind]!.to}`
  })
}

function raiseOwnLimit(before: number, policy: Policy, say: Say): Decided {
  const after = Math.ceil(Math.min(before * policy.runtimeMultiplier, policy.maxRuntimeSeconds))
  if (after <= before)
    return say('leave', `it ran out of its own time limit of ${before} s, which is at its cap (--max-runtime)`)
  const reason = `it ran out of its own time limit, which goes from ${before} s to ${after} s`
  return () => ({ ...say('rerun', reason)(), time_limit_seconds: after })
}

function raiseOf({ id, name }: Requirements, raises: Map<number, Recovery>): Recovery {
  const raise = raises.get(id) ?? { resource_requirements_id: id, name, job_ids: [], other_jobs: 0 }
  raises.set(id, raise)
  return raise
}
