import { CONTROL_PLANE, FORMAT, WORKFLOW } from '../command-line/options.ts'
import { print, printJson, stdoutPaint } from '../command-line/output.ts'
import { defineVerb } from '../command-line/verb.ts'
import { renderStatus, type WorkflowStatus } from '../screen/status.ts'
import { expectValue, formatOf, withControlPlane, workflowId } from './ask.ts'

export default defineVerb({
  about:
    'Show how far a workflow is. Without an id: the newest one. While a run goes on, the running process is asked.',
  args: {
    ...WORKFLOW,
    ...FORMAT,
    ...CONTROL_PLANE,
  },
  examples: ['status', 'status 3 --format json'],
  async run(args) {
    const format = formatOf(args.format)
    return withControlPlane(args, async controlPlane => {
      const id = await workflowId(controlPlane, args.workflow)
      const reply = await controlPlane.client.request<WorkflowStatus>('GET', `/workflows/${id}/status`)
      const status = expectValue(reply, `show workflow ${id}`, controlPlane.where)
      if (format === 'json') printJson(status)
      else print(renderStatus(status, stdoutPaint()))
      return 0
    })
  },
})
