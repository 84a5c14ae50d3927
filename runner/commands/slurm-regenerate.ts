import { resolve } from 'node:path'
import { needAddress } from '../allocate/address.ts'
import { cannotRun } from '../command-line/error.ts'
import { countFlag } from '../command-line/flags.ts'
import { CONTROL_PLANE, FORMAT, WORKFLOW } from '../command-line/options.ts'
import { print, printJson, screenWidth } from '../command-line/output.ts'
import { defineVerb } from '../command-line/verb.ts'
import { OUTPUT_DIR } from '../defaults.ts'
import { chooseProfile, surroundings } from '../hpc/choose.ts'
import { counted } from '../screen/format.ts'
import { openCluster } from '../slurm/cluster.ts'
import { type FiredAll, fireAll, listDue } from '../slurm/fire-actions.ts'
import { needAllPlaced, PLAN_OPTIONS, readPlanOptions } from '../slurm/plan-flags.ts'
import { planSchedulers } from '../slurm/plan-schedulers.ts'
import { readJobsToCome, storeGroups } from '../slurm/regenerate.ts'
import { type Asked, listSchedulers, readWorkflow } from '../slurm/rows.ts'
import type { Site } from '../slurm/schedule-nodes.ts'
import { planDocument, renderPlan } from '../slurm/show-plan.ts'
import { formatOf, withControlPlane, workflowId } from './ask.ts'

export default defineVerb({
  about:
    'Plan anew the Slurm schedulers of a workflow for the jobs that have still to run, with what these require now; for after a recovery.',
  args: {
    ...WORKFLOW,
    ...PLAN_OPTIONS,
    'include-job-ids': { type: 'string', valueHint: 'ID,…', description: 'only these jobs (default: all that wait)' },
    submit: { type: 'boolean', description: 'ask at once for the allocations of jobs that are ready' },
    'dry-run': { type: 'boolean', description: 'show the plan, change nothing' },
    ...FORMAT,
    ...CONTROL_PLANE,
  },
  examples: ['slurm regenerate 3 --account physics --dry-run', 'slurm regenerate 3 --submit'],
  async run(args) {
    const format = formatOf(args.format)
    const only = readIds(args['include-job-ids'])
    return withControlPlane(args, async controlPlane => {
      const id = await workflowId(controlPlane, args.workflow)
      const schedulers = await listSchedulers(controlPlane, id)
      const profile = await chooseProfile(args.profile, surroundings())
      // Who paid before pays again.
      const account = args.account ?? schedulers[0]?.account
      const options = {
        ...readPlanOptions({ ...args, account }, profile),
        taken: schedulers.flatMap(scheduler => scheduler.name ?? []),
      }
      const { jobs, placed } = await readJobsToCome(controlPlane, id, only)
      const plan = planSchedulers(placed, profile.partitions, options)
      needAllPlaced(plan, profile)
      const items = planDocument(plan)
      let fired: FiredAll = { ids: [], troubles: [] }
      if (!args['dry-run'] && jobs.length > 0) {
        const stored = await storeGroups(plan.groups, jobs, id, controlPlane)
        if (args.submit) {
          const own = new Set(stored.flatMap(group => group.actions.map(action => action.id)))
          const outputDir = resolve(args['output-dir'] ?? OUTPUT_DIR)
          const site = { address: needAddress(controlPlane), outputDir, cwd: process.cwd() }
          fired = await fireOwn(id, own, controlPlane, site)
        }
      }
      const { ids: submitted, troubles } = fired
      if (format === 'json') {
        printJson({ workflow_id: id, profile: profile.name, jobs: jobs.length, items, count: items.length, submitted })
      } else if (jobs.length === 0) print(`Workflow ${id} has no job that waits.`)
      else {
        print(renderPlan(plan, screenWidth()))
        if (submitted.length > 0)
          print(`Slurm has taken ${counted(submitted.length, 'allocation')}: ${submitted.join(', ')}`)
      }
      if (troubles.length > 0) throw cannotRun(`Cannot submit all allocations: ${troubles.join('; ')}`)
      return 0
    })
  },
})

/** Asks for the allocations of those new actions whose jobs are ready. */
async function fireOwn(id: number, own: ReadonlySet<number>, asked: Asked, site: Site): Promise<FiredAll> {
  const note = (line: string) => process.stderr.write(`${line}\n`)
  const due = (await listDue(asked, id)).filter(action => own.has(action.id))
  return fireAll(due, { workflow: await readWorkflow(asked, id), asked, site, cluster: openCluster(), note })
}

function readIds(text: string | undefined): ReadonlySet<number> | undefined {
  if (text === undefined) return undefined
  return new Set(text.split(',').map(part => countFlag('--include-job-ids', part.trim(), 1)!))
}
