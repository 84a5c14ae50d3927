import { CONTROL_PLANE, FORMAT, NAMED_WORKFLOW } from '../command-line/options.ts'
import { print, printJson } from '../command-line/output.ts'
import { defineVerb } from '../command-line/verb.ts'
import { expectValue, formatOf, withControlPlane, workflowId } from './ask.ts'

export default defineVerb({
  about: 'Cancel a workflow: no job of it starts any more, and runners end those that run.',
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
      if (format === 'json') printJson(canceled)
      else print(`Workflow ${id} is canceled.`)
      return 0
    })
  },
})
