import { parseMemory } from '../../api/core/memory.ts'
import { cannotRun, usageError } from '../command-line/error.ts'
import { amountFlag, countFlag, durationFlag } from '../command-line/flags.ts'
import { expectValue, summaryOf } from '../commands/ask.ts'
import type { ControlPlane } from '../control-plane.ts'
import { type Cause, causeOf, type Plan, type Policy, planRecovery } from './decide.ts'
import { changeRequirements, countUsers, listFailedJobs, listRequirements } from './failed-jobs.ts'
import { moveToOwnSet } from './own-set.ts'

/** The options of `recover` and `watch` that bound what recovery may do. */
export const RECOVERY = {
  'memory-multiplier': {
    type: 'string',
    valueHint: 'N',
    description: 'times as much memory after running out of it (default: 1.5)',
  },
  'runtime-multiplier': {
    type: 'string',
    valueHint: 'N',
    description: 'times as much time after running out of it (default: 1.5)',
  },
  'max-memory': {
    type: 'string',
    valueHint: 'SIZE',
    description: 'never require more memory, such as 64g (default: 1t)',
  },
  'max-runtime': {
    type: 'string',
    valueHint: 'TIME',
    description: 'never require more time, such as 12h or PT12H (default: 7d)',
  },
  'max-failures': {
    type: 'string',
    valueHint: 'N',
    description: 'leave a job alone that has failed so often (default: 5)',
  },
} as const

type Flags = { [K in keyof typeof RECOVERY]?: string }

const MULTIPLIER = 1.5
/** More than any node has, and than any queue gives: caps of people's own are lower. */
const MAX_MEMORY = '1t'
const MAX_RUNTIME = '7d'
const MAX_FAILURES = 5

/** Reads the options. Throws a usage error. */
export function parsePolicy(flags: Flags): Policy {
  const maxMemoryBytes = parseMemory(flags['max-memory'] ?? MAX_MEMORY)
  if (maxMemoryBytes === undefined) {
    throw usageError(`Cannot read --max-memory as it must be a size like 64g: current value is ${flags['max-memory']}`)
  }
  return {
    memoryMultiplier: multiplierFlag('--memory-multiplier', flags['memory-multiplier']) ?? MULTIPLIER,
    runtimeMultiplier: multiplierFlag('--runtime-multiplier', flags['runtime-multiplier']) ?? MULTIPLIER,
    maxMemoryBytes,
    maxRuntimeSeconds: durationFlag('--max-runtime', flags['max-runtime'] ?? MAX_RUNTIME)!,
    maxFailures: countFlag('--max-failures', flags['max-failures'], 1) ?? MAX_FAILURES,
  }
}

/** A factor of at least 1. Throws a usage error. */
export function multiplierFlag(name: string, text: string | undefined): number | undefined {
  const factor = amountFlag(name, text)
  if (factor === undefined || factor >= 1) return factor
  throw usageError(`Cannot read ${name} as it must be >= 1: current value is ${text}`)
}

/** Causes that more of something can heal. */
const RAISED: ReadonlySet<Cause> = new Set(['memory', 'time'])

/** What recovery would do, and why. */
export async function planFor(controlPlane: ControlPlane, workflowId: number, policy: Policy): Promise<Plan> {
  const jobs = await listFailedJobs(controlPlane, workflowId)
  const mayRaise = jobs.some(job => RAISED.has(causeOf(job)))
  const sets = mayRaise ? await listRequirements(controlPlane, workflowId) : []
  return planRecovery(jobs, sets, mayRaise ? await countUsers(controlPlane, workflowId) : new Map(), policy)
}

/** Throws when jobs are claimed: their runners would end them for a run that is over. */
export async function refuseWhileClaimed(controlPlane: ControlPlane, workflowId: number): Promise<void> {
  const doing = `recover workflow ${workflowId}`
  const { jobs_by_status: counts } = await summaryOf(controlPlane, workflowId, doing)
  const claimed = (counts.running ?? 0) + (counts.pending ?? 0)
  if (claimed === 0) return
  throw cannotRun(`Cannot ${doing} as ${claimed} of its jobs are claimed: wait for them (runner watch) or cancel it`)
}

/** Raises what is to be raised and opens what is to run again, with all that hangs below, as a new run. */
export async function applyPlan(controlPlane: ControlPlane, workflowId: number, plan: Plan): Promise<void> {
  const { client, where } = controlPlane
  const again = plan.jobs.filter(job => job.action === 'rerun')
  if (again.length === 0) return
  const doing = `recover workflow ${workflowId}`
  for (const raise of plan.changes) {
    const { resource_requirements_id: id, memory, runtime } = raise
    if (raise.other_jobs > 0) await moveToOwnSet(controlPlane, workflowId, raise)
    else await changeRequirements(controlPlane, id, { memory: memory?.to, runtime: runtime?.to })
  }
  const base = `/workflows/${workflowId}`
  expectValue(await client.request('POST', `${base}/reset_status?force=true`), doing, where)
  const isWhole = again.length === plan.jobs.length && again.every(job => job.time_limit_seconds === undefined)
  if (!isWhole) {
    // Initialising would also make ready what is to be left alone, and only a job that is put back gets another limit of its own.
    for (const { job_id, time_limit_seconds } of again) {
      expectValue(await client.request('POST', `/jobs/${job_id}/put_back`, { time_limit_seconds }), doing, where)
    }
    return
  }
  expectValue(await client.request('POST', `${base}/reset_job_status?failed_only=true`), doing, where)
  const path = `${base}/initialize_jobs?only_uninitialized=true`
  expectValue(await client.request('POST', path, undefined, { repeatable: true }), doing, where)
}
