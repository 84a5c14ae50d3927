import { CONTROL_PLANE, FORMAT, WORKFLOW } from '../command-line/options.ts'
import { defineVerb } from '../command-line/verb.ts'
import { showRows } from '../nouns/show.ts'
import { formatOf, listAll, withControlPlane, workflowId } from './ask.ts'

export default defineVerb({
  about: 'List the machines that are kept for a workflow. Without an id: the newest workflow.',
  args: { ...WORKFLOW, ...FORMAT, ...CONTROL_PLANE },
  examples: ['remote list 3'],
  async run(args) {
    const format = formatOf(args.format)
    return withControlPlane(args, async controlPlane => {
      const id = await workflowId(controlPlane, args.workflow)
      const { client, where } = controlPlane
      const doing = `list the remote workers of workflow ${id}`
      const rows = await listAll<{ worker: string }>(client, `/workflows/${id}/remote_workers`, doing, where)
      showRows({ many: 'remote workers', columns: ['worker'] }, rows, format)
      return 0
    })
  },
})
