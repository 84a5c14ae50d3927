import { renderAllocations } from '../allocate/render.ts'
import type { WireAllocation, WirePlan } from '../allocate/wire.ts'
import { CONTROL_PLANE, FORMAT, WORKFLOW } from '../command-line/options.ts'
import { print, printJson, screenWidth } from '../command-line/output.ts'
import { defineVerb } from '../command-line/verb.ts'
import { expectValue, formatOf, listAll, withControlPlane, workflowId } from './ask.ts'

export default defineVerb({
  about:
    'Show the allocation plans of a workflow and every request that was made. Exit code 1: a plan is paused, and its reason is shown.',
  args: { ...WORKFLOW, ...FORMAT, ...CONTROL_PLANE },
  examples: ['allocate status 3', 'allocate status 3 --format json'],
  async run(args) {
    const format = formatOf(args.format)
    return withControlPlane(args, async controlPlane => {
      const id = await workflowId(controlPlane, args.workflow)
      const { client, where } = controlPlane
      const doing = `list the allocations of workflow ${id}`
      const { items: plans } = expectValue(
        await client.request<{ items: WirePlan[] }>('GET', `/workflows/${id}/allocation_plans`),
        doing,
        where,
      )
      const allocations = await listAll<WireAllocation>(client, `/workflows/${id}/allocations`, doing, where)
      if (format === 'json') printJson({ workflow_id: id, plans, allocations })
      else print(renderAllocations(plans, allocations, screenWidth()))
      return plans.some(({ state, pauses }) => state === 'paused' || Object.keys(pauses).length > 0) ? 1 : 0
    })
  },
})
