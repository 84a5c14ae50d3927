import { CONTROL_PLANE, FORMAT, NAMED_WORKFLOW, WORKFLOW } from '../command-line/options.ts'
import { print, printJsonList } from '../command-line/output.ts'
import { defineVerb, entryFor, type Group } from '../command-line/verb.ts'
import { showRows } from '../nouns/show.ts'
import { expectValue, formatOf, listAll, withControlPlane, workflowId } from './ask.ts'

type RemoteWorker = { worker: string; workflow_id: number }

const NOUN = { many: 'remote workers', columns: ['worker'] } as const
const WORKERS = {
  type: 'positional',
  required: true,
  valueHint: 'WORKER…',
  description: 'machines, as user@host',
} as const

const list = defineVerb({
  about: 'List the machines on which runners are started for a workflow. Without an id: the newest workflow.',
  args: { ...WORKFLOW, ...FORMAT, ...CONTROL_PLANE },
  examples: ['remote-workers list 3'],
  async run(args) {
    const format = formatOf(args.format)
    return withControlPlane(args, async controlPlane => {
      const id = await workflowId(controlPlane, args.workflow)
      const path = `/workflows/${id}/remote_workers`
      const doing = `list the remote workers of workflow ${id}`
      showRows(NOUN, await listAll<RemoteWorker>(controlPlane.client, path, doing, controlPlane.where), format)
      return 0
    })
  },
})

const add = defineVerb({
  about: 'Keep machines for a workflow; those it has already stay.',
  args: { ...NAMED_WORKFLOW, workers: WORKERS, ...FORMAT, ...CONTROL_PLANE },
  examples: ['remote-workers add 3 me@n1 me@n2'],
  repeatsLast: true,
  async run(args) {
    const format = formatOf(args.format)
    const workers = args._.slice(1)
    return withControlPlane(args, async controlPlane => {
      const { client, where } = controlPlane
      const id = await workflowId(controlPlane, args.workflow)
      const reply = await client.request<RemoteWorker[]>('POST', `/workflows/${id}/remote_workers`, workers)
      const added = expectValue(reply, `add remote workers to workflow ${id}`, where)
      if (format === 'json') printJsonList(added)
      else print(`Workflow ${id} has ${workers.join(', ')}.`)
      return 0
    })
  },
})

const remove = defineVerb({
  about: 'Forget machines of a workflow.',
  args: { ...NAMED_WORKFLOW, workers: WORKERS, ...FORMAT, ...CONTROL_PLANE },
  examples: ['remote-workers remove 3 me@n1'],
  repeatsLast: true,
  async run(args) {
    const format = formatOf(args.format)
    return withControlPlane(args, async controlPlane => {
      const { client, where } = controlPlane
      const id = await workflowId(controlPlane, args.workflow)
      const removed: RemoteWorker[] = []
      for (const worker of args._.slice(1)) {
        const path = `/workflows/${id}/remote_workers/${encodeURIComponent(worker)}`
        removed.push(expectValue(await client.request<RemoteWorker>('DELETE', path), `remove ${worker}`, where))
      }
      if (format === 'json') printJsonList(removed)
      else print(`Workflow ${id} has no longer ${args._.slice(1).join(', ')}.`)
      return 0
    })
  },
})

const group: Group = {
  about: 'Machines on which runners are started for a workflow.',
  verbs: { list: entryFor(list), add: entryFor(add), remove: entryFor(remove) },
}
export default group
