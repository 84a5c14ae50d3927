import { readActions } from './actions.ts'
import type { SpecContext, SpecEnv } from './env.ts'
import { checkExecution, toExecutionConfig, writtenMode } from './execution.ts'
import { expandFiles, type FileExpansion } from './files.ts'
import { checkGraph } from './graph-checks.ts'
import { readFailureHandlers } from './handlers.ts'
import { checkIdentifiers } from './identifiers.ts'
import { expandJobs, type JobExpansion } from './jobs.ts'
import { WORKFLOW } from './keys.ts'
import { linkJobs, type Targets } from './links.ts'
import { lintFile, lintJob, parameterNames } from './lint.ts'
import { createParameterReader } from './parameters.ts'
import { createReport } from './report.ts'
import { readResourceSets } from './resource-sets.ts'
import { checkSchedulers } from './scheduler-checks.ts'
import { readSchedulers, readSlurmDefaults } from './schedulers.ts'
import { readObject, type SpecObject } from './schema.ts'
import { createSelector, SELECTION_BUDGET } from './selectors.ts'
import { readSettings, warnIgnoredKeys } from './settings.ts'
import { EMPTY_SUMMARY, summarize } from './summary.ts'
import { createTableReader, type TableReader } from './tables.ts'
import { TEXT_BUDGET } from './text-budget.ts'
import type { SpecTree } from './tree.ts'
import type { Diagnostic, ExpandedWorkflow, SpecSummary } from './types.ts'
import { expandUserData, type UserDataExpansion } from './user-data.ts'
import { applyVariables } from './variables.ts'
import { readWorkflowEnv } from './workflow-env.ts'

export interface SpecExpansion {
  /** Undefined when the file has errors other than those that may be skipped. */
  workflow: ExpandedWorkflow | undefined
  /** In the order of the file. */
  diagnostics: Diagnostic[]
  summary: SpecSummary
}

type WorkflowObject = SpecObject<typeof WORKFLOW>

/** Turns the tree of a file into the workflow to insert, and reports every problem on the way. */
export function expandSpec(tree: SpecTree, env: SpecEnv): SpecExpansion {
  const report = createReport(tree.source, env.fileName)
  const context: SpecContext = { source: tree.source, env, report, texts: { left: TEXT_BUDGET } }
  for (const { code, place, message } of tree.problems) report.error(code, place, message)
  const readTable = createTableReader(context)
  const object = readObject(WORKFLOW, applyVariables(tree.root, readTable, context), '', report)
  const expansion = object && expandWorkflow(object, readTable, context)
  return {
    workflow: report.isBlocked() ? undefined : expansion?.workflow,
    diagnostics: report.diagnostics(),
    summary: expansion?.summary ?? EMPTY_SUMMARY,
  }
}

function expandWorkflow(object: WorkflowObject, readTable: TableReader, context: SpecContext) {
  const { get } = object
  warnIgnoredKeys(object, context)
  const parameters = createParameterReader(object, readTable, context)
  const sets = readResourceSets(get.resource_requirements ?? [], context)
  const schedulers = readSchedulers(get.slurm_schedulers ?? [], context)
  const handlers = readFailureHandlers(get.failure_handlers ?? [], context)
  const env = readWorkflowEnv(object, parameters)
  const targetsOfJobs = {
    resourceRequirements: sets.names,
    schedulers: schedulers.names,
    failureHandlers: handlers.names,
  }
  const jobs = expandJobs(get.jobs ?? [], env, targetsOfJobs, parameters, context)
  const files = expandFiles(get.files ?? [], parameters, context)
  const userData = expandUserData(get.user_data ?? [], parameters, context)
  lintWorkflow(object, jobs, files, readTable, context)
  const targets = createTargets(jobs, files, userData, context)
  linkJobs(jobs, targets, files, userData, context)
  const actions = readActions(
    get.actions ?? [],
    targets.jobs,
    schedulers.names,
    writtenMode(get.execution_config),
    context,
  )
  if (get.execution_config) {
    const hasWorkerPerNode = (get.actions ?? []).some(action => action.get.start_one_worker_per_node?.value)
    checkExecution(get.execution_config, schedulers.items.length > 0, hasWorkerPerNode, context)
  }
  const workflow: ExpandedWorkflow = {
    ...readSettings(object, context),
    env,
    executionConfig: toExecutionConfig(get.execution_config, jobs.stdioOverrides, context),
    slurmDefaults: readSlurmDefaults(get.slurm_defaults, context),
    jobs: jobs.jobs,
    files: withTimes(files, jobs, context),
    userData: userData.userData,
    resourceRequirements: sets.items,
    failureHandlers: handlers.items,
    slurmSchedulers: schedulers.items,
    actions,
  }
  checkIdentifiers(files, jobs.jobs, workflow.enableRoCrate, context)
  checkSchedulers(workflow, jobs.templates, context)
  checkGraph(workflow, jobs, targets, context)
  const summary: SpecSummary = summarize(object, jobs.names.names, files.files.length, schedulers.names.names)
  return { workflow, summary }
}

function createTargets(
  jobs: JobExpansion,
  files: FileExpansion,
  userData: UserDataExpansion,
  { env }: SpecContext,
): Targets {
  const budget = { left: SELECTION_BUDGET }
  const selectorOf = ({ names }: JobExpansion | FileExpansion | UserDataExpansion) =>
    createSelector(names, env.matcher, budget)
  return {
    jobs: { noun: 'job', code: 'unknown_job', names: jobs.names, select: selectorOf(jobs) },
    files: { noun: 'file', code: 'unknown_file', names: files.names, select: selectorOf(files) },
    userData: { noun: 'user_data', code: 'unknown_user_data', names: userData.names, select: selectorOf(userData) },
  }
}

function lintWorkflow(
  object: WorkflowObject,
  jobs: JobExpansion,
  files: FileExpansion,
  readTable: TableReader,
  context: SpecContext,
): void {
  const known = parameterNames(object, readTable)
  for (const template of jobs.templates) lintJob(template.object, template.copies, known, context)
  for (const template of files.templates) lintFile(template.object, template.copies, known, context)
}

/** A file that some job reads and that exists where the workflow is submitted gets its time: it is an input that is there. */
function withTimes({ files }: FileExpansion, { jobs }: JobExpansion, { env }: SpecContext): ExpandedWorkflow['files'] {
  const inputs = new Set(jobs.flatMap(job => job.inputFiles))
  return files.map((file, index) =>
    file.stMtime === undefined && inputs.has(index) ? { ...file, stMtime: env.mtime(file.path) } : file,
  )
}
