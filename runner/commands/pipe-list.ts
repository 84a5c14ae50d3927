import { CONTROL_PLANE, FORMAT, WORKFLOW } from '../command-line/options.ts'
import { print, printJsonList, screenWidth } from '../command-line/output.ts'
import { defineVerb } from '../command-line/verb.ts'
import { RUN_COLUMNS } from '../pipe/render.ts'
import type { PipeRun } from '../pipe/wire.ts'
import { renderTable } from '../screen/table.ts'
import { expectValue, formatOf, withControlPlane, workflowId } from './ask.ts'

export default defineVerb({
  about: 'List the pipe runs of a workflow.',
  args: { ...WORKFLOW, ...FORMAT, ...CONTROL_PLANE },
  examples: ['pipe list 3'],
  async run(args) {
    const format = formatOf(args.format)
    return withControlPlane(args, async controlPlane => {
      const id = await workflowId(controlPlane, args.workflow)
      const reply = await controlPlane.client.request<{ items: PipeRun[] }>('GET', `/workflows/${id}/pipe_runs`)
      const { items } = expectValue(reply, `list the pipe runs of workflow ${id}`, controlPlane.where)
      if (format === 'json') printJsonList(items)
      else print(items.length === 0 ? 'No pipe runs.' : renderTable(RUN_COLUMNS, items, screenWidth()))
      return 0
    })
  },
})
