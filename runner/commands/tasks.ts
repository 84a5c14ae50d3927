import { cannotRun } from '../command-line/error.ts'
import { durationFlag, idFlag } from '../command-line/flags.ts'
import { CONTROL_PLANE, FORMAT, WORKFLOW } from '../command-line/options.ts'
import { print, printJson } from '../command-line/output.ts'
import { defineVerb, entryFor, type Group } from '../command-line/verb.ts'
import { showRow } from '../nouns/show.ts'
import { expectValue, formatOf, withControlPlane, workflowId } from './ask.ts'

type Task = { id: number; workflow_id: number; operation: string; status: string; error?: string }

const LOOK_MS = 500
const ID = { type: 'positional', required: true, valueHint: 'ID', description: 'id of the task' } as const

const get = defineVerb({
  about: 'Show one task with all its fields.',
  args: { id: ID, ...FORMAT, ...CONTROL_PLANE },
  examples: ['tasks get 3'],
  async run(args) {
    const format = formatOf(args.format)
    const id = idFlag('the id of the task', args.id)
    return withControlPlane(args, async ({ client, where }) => {
      showRow(expectValue(await client.request<Task>('GET', `/tasks/${id}`), `show task ${id}`, where), format)
      return 0
    })
  },
})

const active = defineVerb({
  about: 'Show the task that the server works on for a workflow. Without an id: the newest workflow.',
  args: {
    ...WORKFLOW,
    ...FORMAT,
    ...CONTROL_PLANE,
  },
  examples: ['tasks active 3'],
  async run(args) {
    const format = formatOf(args.format)
    return withControlPlane(args, async controlPlane => {
      const { client, where } = controlPlane
      const id = await workflowId(controlPlane, args.workflow)
      const reply = await client.request<{ task: Task | null }>('GET', `/workflows/${id}/active_task`)
      const { task } = expectValue(reply, `show the task of workflow ${id}`, where)
      if (format === 'json') printJson({ task })
      else if (task === null) print(`Workflow ${id} has no task.`)
      else showRow(task, format)
      return 0
    })
  },
})

const wait = defineVerb({
  about: 'Wait for the end of a task. Exit code 0: it succeeded, 1: it failed.',
  args: {
    id: ID,
    timeout: { type: 'string', valueHint: 'TIME', description: 'give up after this time, with exit code 3' },
    ...FORMAT,
    ...CONTROL_PLANE,
  },
  examples: ['tasks wait 3', 'tasks wait 3 --timeout 10m'],
  async run(args) {
    const format = formatOf(args.format)
    const id = idFlag('the id of the task', args.id)
    const timeoutSeconds = durationFlag('--timeout', args.timeout) ?? Number.POSITIVE_INFINITY
    const endAt = Date.now() + timeoutSeconds * 1000
    return withControlPlane(args, async ({ client, where }) => {
      for (;;) {
        const task = expectValue(await client.request<Task>('GET', `/tasks/${id}`), `wait for task ${id}`, where)
        if (task.status === 'succeeded' || task.status === 'failed') {
          showRow(task, format)
          return task.status === 'succeeded' ? 0 : 1
        }
        if (Date.now() >= endAt)
          throw cannotRun(`Cannot wait longer for task ${id}: it is ${task.status} after ${args.timeout}`)
        await new Promise(resolve => setTimeout(resolve, LOOK_MS))
      }
    })
  },
})

const group: Group = {
  about: 'Work of the server that goes on after the request for it.',
  verbs: { get: entryFor(get), active: entryFor(active), wait: entryFor(wait) },
}
export default group
