import { usageError } from '../command-line/error.ts'
import type { ExpandedFile } from '../create-workflow.ts'
import { missingInputs } from '../find-workflow.ts'
import { chooseProfile, surroundings } from '../hpc/choose.ts'
import { readSpecFile } from '../spec-file.ts'
import { withSchedulers } from './add-to-workflow.ts'
import { placeExpanded } from './placed-jobs.ts'
import { needAllPlaced, readPlanOptions } from './plan-flags.ts'
import { planSchedulers } from './plan-schedulers.ts'

type Given = Parameters<typeof readPlanOptions>[0] & { profile?: string; 'skip-checks'?: boolean }

/** The workflow of a file, with schedulers planned for it when it asks for no nodes itself and somebody pays. */
export async function readToSubmit(file: string, given: Given): Promise<ExpandedFile> {
  const spec = await readSpecFile(file, process.cwd(), given['skip-checks'] === true)
  process.stderr.write(spec.warnings.map(line => `${line}\n`).join(''))
  const { workflow, hash, path } = spec
  if (workflow === undefined) throw usageError(spec.errors.join('\n'))
  const missing = missingInputs(workflow)
  if (missing.length > 0) throw usageError(missing.join('\n'))
  if (spec.summary.has_schedule_nodes_action) return { workflow, hash, path }
  if (given.account === undefined) {
    throw usageError(
      `Cannot submit ${file} as no action of it asks for nodes: give --account to have them planned, or see \`runner slurm generate\``,
    )
  }
  if (workflow.slurmSchedulers.length > 0) {
    throw usageError(
      `Cannot plan schedulers for ${file} as it has some: create it, and ask for nodes with \`runner slurm schedule-nodes\``,
    )
  }
  const profile = await chooseProfile(given.profile, surroundings())
  const plan = planSchedulers(placeExpanded(workflow), profile.partitions, readPlanOptions(given, profile))
  needAllPlaced(plan, profile)
  return { workflow: withSchedulers(workflow, plan.groups) }
}
