import { CONTROL_PLANE, FORMAT, WORKFLOW } from '../command-line/options.ts'
import { print, printJson } from '../command-line/output.ts'
import { defineVerb } from '../command-line/verb.ts'
import { applyPlan, parsePolicy, planFor, RECOVERY, refuseWhileClaimed } from '../recovery/recover.ts'
import { renderPlan } from '../screen/recovery-plan.ts'
import { formatOf, withControlPlane, workflowId } from './ask.ts'

export default defineVerb({
  about:
    'Make the failed jobs of a workflow ready again, with more memory after they ran out of it and more time after a time-out. Runners then run them. --dry-run only says what would be done, and why.',
  args: {
    ...WORKFLOW,
    'dry-run': { type: 'boolean', description: 'only say what would be done, and why' },
    ...RECOVERY,
    ...FORMAT,
    ...CONTROL_PLANE,
  },
  examples: ['recover 3 --dry-run', 'recover 3 --memory-multiplier 2 --max-memory 64g'],
  exitCodes: { 0: 'all that failed runs again', 1: 'some failed jobs are left alone' },
  async run(args) {
    const format = formatOf(args.format)
    const policy = parsePolicy(args)
    const dryRun = args['dry-run'] === true
    return withControlPlane(args, async controlPlane => {
      const id = await workflowId(controlPlane, args.workflow)
      const plan = await planFor(controlPlane, id, policy)
      if (!dryRun && plan.jobs.length > 0) {
        await refuseWhileClaimed(controlPlane, id)
        await applyPlan(controlPlane, id, plan)
      }
      if (format === 'json') printJson({ workflow_id: id, dry_run: dryRun, ...plan })
      else print(renderPlan(id, plan, dryRun))
      return plan.jobs.every(job => job.action === 'rerun') ? 0 : 1
    })
  },
})
