import type { ExpandedJob, ExpandedWorkflow, FailurePattern, RetryRule } from './types.ts'

/**
 * The keys that the contract has no field for (spec-format.md 25), as they are stored and shown: one object called `options` on a job and
 * on a workflow, in the file's own words, sizes in bytes and durations in seconds.
 */
export type JobOptions = FailureOptions & {
  tags?: Record<string, string>
  /** Only where it is not the name of the job's resource set, which is its default. */
  family?: string
  cwd?: string
  time_limit_seconds?: number
}

export type WorkflowOptions = FailureOptions & { site?: { prologue: string[]; directives: string[] } }

type FailureOptions = {
  retry?: RetryOptions
  transient?: PatternOptions
  deterministic?: PatternOptions
  eject?: boolean
}

export type RetryOptions = {
  max: number
  backoff_seconds: number
  backoff_max_seconds: number
  /** Failure classes; empty = those that are retried by default. */
  on: string[]
  memory_factor?: number
  runtime_factor?: number
  max_memory_bytes?: number
  max_runtime_seconds?: number
}

export type PatternOptions = { exit_codes: number[]; log_patterns: string[] }

type FailureKeys = Pick<ExpandedJob, 'retry' | 'transient' | 'deterministic' | 'eject'>

/** The options of a job; undefined when it has none, as most have. */
export function jobOptions(job: ExpandedJob, { resourceRequirements }: ExpandedWorkflow): JobOptions | undefined {
  const set = resourceRequirements[job.resourceRequirements ?? -1]?.name ?? 'default'
  return unlessEmpty({
    tags: job.tags,
    family: job.family === set ? undefined : job.family,
    cwd: job.cwd,
    time_limit_seconds: job.timeLimitSeconds,
    ...failureOptions(job),
  })
}

/** The options of a workflow; undefined when it has none. `loss_budget` has a column of its own. */
export function workflowOptions(workflow: ExpandedWorkflow): WorkflowOptions | undefined {
  return unlessEmpty({ ...failureOptions(workflow), site: workflow.site })
}

function failureOptions({ retry, transient, deterministic, eject }: FailureKeys): FailureOptions {
  return {
    retry: retry && retryOptions(retry),
    transient: transient && patternOptions(transient),
    deterministic: deterministic && patternOptions(deterministic),
    eject,
  }
}

function retryOptions(rule: RetryRule): RetryOptions {
  return {
    max: rule.max,
    backoff_seconds: rule.backoffSeconds,
    backoff_max_seconds: rule.backoffMaxSeconds,
    on: rule.on,
    memory_factor: rule.memoryFactor,
    runtime_factor: rule.runtimeFactor,
    max_memory_bytes: rule.maxMemoryBytes,
    max_runtime_seconds: rule.maxRuntimeSeconds,
  }
}

function patternOptions({ exitCodes, logPatterns }: FailurePattern): PatternOptions {
  return { exit_codes: exitCodes, log_patterns: logPatterns }
}

function unlessEmpty<T extends object>(options: T): T | undefined {
  return Object.values(options).some(value => value !== undefined) ? options : undefined
}
