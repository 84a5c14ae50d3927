import type { SpecFormat } from '../../api/core/spec/tree.ts'
import type { ExpandedWorkflow } from '../../api/core/spec/types.ts'
import { attachComments } from '../../api/spec/attach-comments.ts'
import { findComments } from '../../api/spec/find-comments.ts'
import { readSpec } from '../../api/spec/read.ts'
import { writeSpec } from '../../api/spec/write.ts'
import { usageError } from '../command-line/error.ts'
import type { Profile } from '../hpc/types.ts'
import { readSpecFile, readWorkflowText } from '../spec-file.ts'
import { addSchedulers } from './add-to-spec.ts'
import { placeExpanded } from './placed-jobs.ts'
import { needAllPlaced } from './plan-flags.ts'
import { type PlanOptions, planSchedulers, type SchedulerPlan } from './plan-schedulers.ts'

export type GenerateOptions = PlanOptions & {
  /** Replace the schedulers and schedule_nodes actions that the file has. */
  overwrite: boolean
  /** Have allocations asked for when their jobs are ready. */
  actions: boolean
  /** The format of the result, if not that of the file. */
  to?: SpecFormat
}

export type Generated = { text: string; plan: SchedulerPlan; workflow: ExpandedWorkflow }

/**
 * Gives a workflow file the schedulers that its jobs need on a cluster. Comments stay. Throws a usage error for a file that is not valid,
 * has schedulers already, or has jobs that fit no partition.
 */
export async function generateSpec(
  path: string,
  cwd: string,
  profile: Profile,
  options: GenerateOptions,
): Promise<Generated> {
  const source = readWorkflowText(path, cwd)
  const { workflow, errors } = await readSpecFile(path, cwd, true, source)
  if (workflow === undefined) throw usageError(errors.join('\n'))
  if (workflow.slurmSchedulers.length > 0 && !options.overwrite) {
    throw usageError(`Cannot generate schedulers for ${path} as it has some: --overwrite replaces them`)
  }
  const plan = planSchedulers(placeExpanded(workflow), profile.partitions, options)
  needAllPlaced(plan, profile)
  const read = await readSpec(source, { fileName: path })
  if ('diagnostics' in read) throw usageError(`Cannot read ${path}`)
  const { tree } = read
  const names = workflow.jobs.map(job => job.name)
  const root = addSchedulers(tree.root, plan.groups, names, options.actions)
  const notes = attachComments(root, tree.source, findComments(tree.source, tree.format))
  return { text: await writeSpec(root, options.to ?? tree.format, notes), plan, workflow }
}
