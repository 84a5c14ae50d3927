import { TIMES_AND_LIMITS } from './defaults.ts'
import type { SpecContext } from './env.ts'
import { toFailurePattern, toRetryRule } from './failure-rules.ts'
import type { WORKFLOW } from './keys.ts'
import { readMetadata } from './metadata.ts'
import { DEFAULT_MONITOR, toMonitorConfig } from './monitor.ts'
import { keyPlaceOf, type SpecObject } from './schema.ts'
import type { JobsSortMethod } from './types.ts'

type WorkflowObject = SpecObject<typeof WORKFLOW>

const DEFAULT_MAX_ITERATIONS = 1000

/** The fields of the workflow record that depend on nothing but their keys. */
export function readSettings(object: WorkflowObject, context: SpecContext) {
  const { get } = object
  const useMonitor = get.resource_monitor || context.env.defaultMonitor !== false
  return {
    name: get.name?.value ?? '',
    description: get.description?.value,
    project: get.project?.value,
    metadata: readMetadata(get.metadata, context),
    jobsSortMethod: (get.jobs_sort_method?.value ?? 'gpus_runtime_memory') as JobsSortMethod,
    usePendingFailed: get.use_pending_failed?.value ?? false,
    enableRoCrate: get.enable_ro_crate?.value ?? false,
    computeNodeWaitForNewJobsSeconds:
      get.compute_node_wait_for_new_jobs_seconds?.value ?? TIMES_AND_LIMITS.computeNodeWaitForNewJobsSeconds,
    computeNodeIgnoreWorkflowCompletion:
      get.compute_node_ignore_workflow_completion?.value ?? TIMES_AND_LIMITS.computeNodeIgnoreWorkflowCompletion,
    computeNodeWaitForHealthyDatabaseMinutes:
      get.compute_node_wait_for_healthy_database_minutes?.value ??
      TIMES_AND_LIMITS.computeNodeWaitForHealthyDatabaseMinutes,
    resourceMonitorConfig: get.resource_monitor
      ? toMonitorConfig(get.resource_monitor)
      : useMonitor
        ? DEFAULT_MONITOR
        : undefined,
    accessGroups: readAccessGroups(object, context),
    dynamicJobs: get.dynamic_jobs && {
      maxIterations: get.dynamic_jobs.get.max_iterations?.value ?? DEFAULT_MAX_ITERATIONS,
    },
    retry: get.retry && toRetryRule(get.retry),
    transient: get.transient && toFailurePattern(get.transient),
    deterministic: get.deterministic && toFailurePattern(get.deterministic),
    eject: get.eject?.value,
    lossBudget: get.loss_budget?.value ?? TIMES_AND_LIMITS.lossBudget,
    site: get.site && { prologue: textsOf(get.site.get.prologue), directives: textsOf(get.site.get.directives) },
  }
}

function textsOf(list: { items: readonly { value: string }[] } | undefined): string[] {
  return list?.items.map(item => item.value) ?? []
}

function readAccessGroups(object: WorkflowObject, { report }: SpecContext): string[] {
  const groups = textsOf(object.get.access_groups)
  const repeated = groups.find((group, index) => groups.indexOf(group) !== index)
  if (repeated !== undefined)
    report.error('duplicate_name', keyPlaceOf(object, 'access_groups'), `the group "${repeated}" is listed twice`)
  return groups
}

/** Warns about keys that are accepted for the sake of older files and do nothing. */
export function warnIgnoredKeys(object: WorkflowObject, { env, report }: SpecContext): void {
  const { get } = object
  if (get.user && get.user.value !== env.caller) {
    report.warn('ignored_key', keyPlaceOf(object, 'user'), 'the workflow belongs to whoever submits it, not to "user"')
  }
  if (get.compute_node_expiration_buffer_seconds) {
    report.warn(
      'ignored_key',
      keyPlaceOf(object, 'compute_node_expiration_buffer_seconds'),
      'this key has no effect any more',
    )
  }
  for (const job of get.jobs ?? []) {
    if (job.get.supports_termination)
      report.warn('ignored_key', keyPlaceOf(job, 'supports_termination'), 'this key has no effect any more')
  }
}
