import { CONTROL_PLANE, FORMAT, IN_WORKFLOW } from '../command-line/options.ts'
import { print, printJson } from '../command-line/output.ts'
import { defineVerb } from '../command-line/verb.ts'
import { type Explanation, renderExplanation } from '../screen/explanation.ts'
import { expectValue, formatOf, jobId, withControlPlane } from './ask.ts'

export default defineVerb({
  about: 'Say why a job is not running: what it waits for, what no node has, who has it.',
  args: {
    job: { type: 'positional', required: true, valueHint: 'JOB', description: 'id or name of the job' },
    ...IN_WORKFLOW,
    ...FORMAT,
    ...CONTROL_PLANE,
  },
  examples: ['explain 17', 'explain merge --workflow 3'],
  async run(args) {
    const format = formatOf(args.format)
    return withControlPlane(args, async controlPlane => {
      const id = await jobId(controlPlane, args.job, args.workflow)
      const reply = await controlPlane.client.request<Explanation>('GET', `/jobs/${id}/explain`)
      const explanation = expectValue(reply, `explain job ${args.job}`, controlPlane.where)
      if (format === 'json') printJson(explanation)
      else print(renderExplanation(explanation))
      return 0
    })
  },
})
