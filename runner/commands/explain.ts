import { cannotRun } from '../command-line/error.ts'
import { CONTROL_PLANE, FORMAT } from '../command-line/options.ts'
import { print, printJson } from '../command-line/output.ts'
import { defineVerb } from '../command-line/verb.ts'
import type { ControlPlane } from '../control-plane.ts'
import { type Explanation, renderExplanation } from '../screen/explanation.ts'
import { expectValue, formatOf, listAll, withControlPlane, workflowId } from './ask.ts'

export default defineVerb({
  about: 'Say why a job is not running: what it waits for, what no node has, who has it.',
  args: {
    job: { type: 'positional', required: true, valueHint: 'JOB', description: 'id or name of the job' },
    workflow: {
      type: 'string',
      valueHint: 'ID',
      description: 'workflow in which to look for the name (default: the newest)',
    },
    ...FORMAT,
    ...CONTROL_PLANE,
  },
  examples: ['explain 17', 'explain merge --workflow 3'],
  async run(args) {
    const format = formatOf(args.format)
    return withControlPlane(args, async controlPlane => {
      const id = /^\d+$/.test(args.job) ? Number(args.job) : await findByName(controlPlane, args.job, args.workflow)
      const reply = await controlPlane.client.request<Explanation>('GET', `/jobs/${id}/explain`)
      const explanation = expectValue(reply, `explain job ${args.job}`, controlPlane.where)
      if (format === 'json') printJson(explanation)
      else print(renderExplanation(explanation))
      return 0
    })
  },
})

async function findByName(controlPlane: ControlPlane, name: string, workflow: string | undefined): Promise<number> {
  const id = await workflowId(controlPlane, workflow)
  const path = `/jobs?workflow_id=${id}&name=${encodeURIComponent(name)}`
  const jobs = await listAll<{ id: number; name: string }>(
    controlPlane.client,
    path,
    `find job ${name}`,
    controlPlane.where,
  )
  const found = jobs.find(job => job.name === name)
  if (found === undefined)
    throw cannotRun(`Cannot find a job named ${name} in workflow ${id}: --workflow names another one`)
  return found.id
}
