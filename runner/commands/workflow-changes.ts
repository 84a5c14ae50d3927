import { CONTROL_PLANE, FORMAT, NAMED_WORKFLOW } from '../command-line/options.ts'
import { print, printJson, printJsonList } from '../command-line/output.ts'
import { defineVerb } from '../command-line/verb.ts'
import { counted } from '../screen/format.ts'
import { expectValue, formatOf, withControlPlane, withQuery, workflowId } from './ask.ts'

/** Verbs that change the state of a whole workflow by a request or two. */

export const archive = defineVerb({
  about: 'Put workflows away: they are left out of lists. --restore takes them back.',
  args: {
    workflow: { ...NAMED_WORKFLOW.workflow, valueHint: 'WORKFLOW…', description: 'ids or names of workflows' },
    restore: { type: 'boolean', description: 'take them back' },
    ...FORMAT,
    ...CONTROL_PLANE,
  },
  examples: ['workflows archive 3', 'workflows archive 3 --restore'],
  repeatsLast: true,
  async run(args) {
    const format = formatOf(args.format)
    const is_archived = args.restore !== true
    return withControlPlane(args, async controlPlane => {
      const { client, where } = controlPlane
      const changed: unknown[] = []
      for (const text of args._) {
        const id = await workflowId(controlPlane, text)
        const doing = `${is_archived ? 'archive' : 'restore'} workflow ${id}`
        const reply = await client.request('POST', `/workflows/${id}/archive`, { is_archived })
        changed.push(expectValue(reply, doing, where))
        if (format === 'table') print(`Workflow ${id} is ${is_archived ? 'archived' : 'restored'}.`)
      }
      if (format === 'json') printJsonList(changed)
      return 0
    })
  },
})

type Reset = { updated_count: number }

export const resetStatus = defineVerb({
  about:
    'Put all jobs of a workflow back to the state before they were initialised, or only failed ones and what hangs below them. Results stay.',
  args: {
    ...NAMED_WORKFLOW,
    'failed-only': { type: 'boolean', description: 'only jobs that did not succeed, and what hangs below them' },
    reinitialize: { type: 'boolean', description: 'make them ready to run again at once' },
    force: { type: 'boolean', description: 'also while jobs are claimed or allocations wait' },
    ...FORMAT,
    ...CONTROL_PLANE,
  },
  examples: ['workflows reset-status 3 --failed-only --reinitialize'],
  async run(args) {
    const format = formatOf(args.format)
    return withControlPlane(args, async controlPlane => {
      const { client, where } = controlPlane
      const id = await workflowId(controlPlane, args.workflow)
      const doing = `reset workflow ${id}`
      const again = { repeatable: true }
      const statusPath = withQuery(`/workflows/${id}/reset_status`, { force: args.force === true })
      expectValue(await client.request('POST', statusPath), doing, where)
      const jobsPath = withQuery(`/workflows/${id}/reset_job_status`, { failed_only: args['failed-only'] === true })
      const reset = expectValue(await client.request<Reset>('POST', jobsPath, undefined, again), doing, where)
      if (args.reinitialize) {
        const path = `/workflows/${id}/initialize_jobs?only_uninitialized=true`
        expectValue(await client.request('POST', path, undefined, again), `initialise workflow ${id}`, where)
      }
      if (format === 'json') printJson({ ...reset, reinitialized: args.reinitialize === true })
      else print(`Workflow ${id}: ${counted(reset.updated_count, 'job')} reset.`)
      return 0
    })
  },
})
