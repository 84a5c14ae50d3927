import * as v from 'valibot'
import { SORT_METHODS } from '../core/packing.ts'
import type { ExpandedWorkflow } from '../core/spec/types.ts'
import { bool, env, float, integer, labels, priority, text } from './fields.ts'

/**
 * An expanded workflow file as one document: what `POST /workflows/from_expansion` takes. The command line expands files where their
 * `@lists` and modification times are; the server checks the result as it checks any input. Links are indices into the lists.
 */
const index = v.pipe(integer, v.minValue(0))
const indices = v.array(index)
const maybe = <const S extends v.GenericSchema>(schema: S) => v.optional(schema)
const object = v.record(v.string(), v.any())

const retry = v.object({
  max: integer,
  backoffSeconds: float,
  backoffMaxSeconds: float,
  on: v.array(text),
  memoryFactor: maybe(float),
  runtimeFactor: maybe(float),
  maxMemoryBytes: maybe(float),
  maxRuntimeSeconds: maybe(float),
})
const failurePattern = v.object({ exitCodes: v.array(integer), logPatterns: v.array(text) })

const job = v.object({
  name: text,
  command: text,
  invocationScript: maybe(text),
  env: maybe(env),
  priority,
  cancelOnBlockingJobFailure: bool,
  resourceRequirements: maybe(index),
  scheduler: maybe(index),
  failureHandler: maybe(index),
  dependsOn: indices,
  inputFiles: indices,
  outputFiles: indices,
  inputUserData: indices,
  outputUserData: indices,
  labels,
  tags: maybe(v.record(v.string(), v.string())),
  family: text,
  cwd: maybe(text),
  timeLimitSeconds: maybe(float),
  retry: maybe(retry),
  transient: maybe(failurePattern),
  deterministic: maybe(failurePattern),
  eject: maybe(bool),
})

const count = v.pipe(integer, v.minValue(1))

const action = v.object({
  triggerType: v.picklist([
    'on_workflow_start',
    'on_workflow_complete',
    'on_jobs_ready',
    'on_jobs_complete',
    'on_worker_start',
    'on_worker_complete',
  ]),
  config: v.variant('actionType', [
    v.object({ actionType: v.literal('run_commands'), commands: v.array(text) }),
    v.object({
      actionType: v.literal('schedule_nodes'),
      scheduler: index,
      schedulerType: text,
      numAllocations: count,
      startOneWorkerPerNode: bool,
      maxParallelJobs: maybe(count),
    }),
  ]),
  jobs: indices,
  requiredTriggers: count,
  persistent: bool,
})

export const expansionSchema = v.object({
  name: text,
  description: maybe(text),
  project: maybe(text),
  metadata: maybe(text),
  env: maybe(env),
  jobsSortMethod: v.picklist(SORT_METHODS),
  usePendingFailed: bool,
  enableRoCrate: bool,
  computeNodeWaitForNewJobsSeconds: integer,
  computeNodeIgnoreWorkflowCompletion: bool,
  computeNodeWaitForHealthyDatabaseMinutes: integer,
  executionConfig: maybe(object),
  resourceMonitorConfig: maybe(object),
  slurmDefaults: maybe(object),
  accessGroups: v.array(text),
  dynamicJobs: maybe(v.object({ maxIterations: count })),
  retry: maybe(retry),
  transient: maybe(failurePattern),
  deterministic: maybe(failurePattern),
  eject: maybe(bool),
  lossBudget: index,
  site: maybe(v.object({ prologue: v.array(text), directives: v.array(text) })),
  jobs: v.array(job),
  files: v.array(v.object({ name: text, path: text, stMtime: maybe(float), identifier: maybe(text) })),
  userData: v.array(v.object({ name: text, data: maybe(text), isEphemeral: bool })),
  resourceRequirements: v.array(
    v.object({
      name: text,
      numCpus: count,
      numGpus: index,
      numNodes: count,
      memory: text,
      memoryBytes: index,
      runtime: text,
      runtimeSeconds: v.pipe(float, v.minValue(0)),
    }),
  ),
  failureHandlers: v.array(v.object({ name: text, rules: text })),
  slurmSchedulers: v.array(
    v.object({
      name: text,
      account: text,
      partition: maybe(text),
      qos: maybe(text),
      gres: maybe(text),
      mem: maybe(text),
      tmp: maybe(text),
      extra: maybe(text),
      nodes: count,
      ntasksPerNode: maybe(count),
      walltime: text,
      serializeAllocations: bool,
    }),
  ),
  actions: v.array(action),
})

/** The first link that points outside its list, as a key path; undefined when all are good. A job never waits for itself. */
export function badLink(workflow: ExpandedWorkflow): string | undefined {
  const { files, userData, resourceRequirements, slurmSchedulers, failureHandlers, jobs, actions } = workflow
  const outside = (list: readonly unknown[], links: readonly (number | undefined)[]): boolean =>
    links.some(link => link !== undefined && link >= list.length)
  for (const [at, one] of jobs.entries()) {
    if (outside(jobs, one.dependsOn) || one.dependsOn.includes(at)) return `jobs[${at}].dependsOn`
    if (outside(files, one.inputFiles)) return `jobs[${at}].inputFiles`
    if (outside(files, one.outputFiles)) return `jobs[${at}].outputFiles`
    if (outside(userData, one.inputUserData)) return `jobs[${at}].inputUserData`
    if (outside(userData, one.outputUserData)) return `jobs[${at}].outputUserData`
    if (outside(resourceRequirements, [one.resourceRequirements])) return `jobs[${at}].resourceRequirements`
    if (outside(slurmSchedulers, [one.scheduler])) return `jobs[${at}].scheduler`
    if (outside(failureHandlers, [one.failureHandler])) return `jobs[${at}].failureHandler`
  }
  for (const [at, one] of actions.entries()) {
    if (outside(jobs, one.jobs)) return `actions[${at}].jobs`
    if (one.config.actionType === 'schedule_nodes' && outside(slurmSchedulers, [one.config.scheduler]))
      return `actions[${at}].config.scheduler`
  }
  return undefined
}
