import { idFlag } from '../command-line/flags.ts'
import { CONTROL_PLANE, FORMAT } from '../command-line/options.ts'
import { print, printJson } from '../command-line/output.ts'
import { defineVerb } from '../command-line/verb.ts'
import { expectValue, formatOf, withControlPlane } from './ask.ts'

export default defineVerb({
  about: 'Cancel a workflow: no job of it starts any more, and runners end those that run.',
  args: {
    id: { type: 'positional', required: true, valueHint: 'ID', description: 'id of the workflow' },
    ...FORMAT,
    ...CONTROL_PLANE,
  },
  examples: ['cancel 3'],
  async run(args) {
    const format = formatOf(args.format)
    const id = idFlag('the workflow id', args.id)
    return withControlPlane(args, async ({ client, where }) => {
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
