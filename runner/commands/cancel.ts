import { CONTROL_PLANE, FORMAT, NAMED_WORKFLOW } from '../command-line/options.ts'
import { print, printJson } from '../command-line/output.ts'
import { defineVerb } from '../command-line/verb.ts'
import { cancelAllocations } from '../slurm/cancel-allocations.ts'
import { openCluster } from '../slurm/cluster.ts'
import { expectValue, formatOf, withControlPlane, workflowId } from './ask.ts'

export default defineVerb({
  about:
    'Cancel a workflow: no job of it starts any more, runners end those that run, and its allocations are cancelled at Slurm.',
  args: {
    ...NAMED_WORKFLOW,
    ...FORMAT,
    ...CONTROL_PLANE,
  },
  examples: ['cancel 3'],
  async run(args) {
    const format = formatOf(args.format)
    return withControlPlane(args, async controlPlane => {
      const { client, where } = controlPlane
      const id = await workflowId(controlPlane, args.workflow)
      const canceled = expectValue(
        await client.request('PUT', `/workflows/${id}/cancel`),
        `cancel workflow ${id}`,
        where,
      )
      const { ids, troubles } = await cancelAllocations(id, 'all', client, openCluster().scheduler)
      for (const trouble of troubles) process.stderr.write(`Cannot cancel ${trouble}\n`)
      if (format === 'json') printJson(canceled)
      else print(`Workflow ${id} is canceled${ids.length === 0 ? '' : `, and its allocations ${ids.join(', ')}`}.`)
      return 0
    })
  },
})
