import { readFileSync } from 'node:fs'
import { usageError } from '../command-line/error.ts'
import { CONTROL_PLANE, FORMAT, NAMED_WORKFLOW } from '../command-line/options.ts'
import { print, printJsonList } from '../command-line/output.ts'
import { defineVerb } from '../command-line/verb.ts'
import { parseWorker, parseWorkerFile } from '../remote/worker.ts'
import { expectValue, formatOf, withControlPlane, workflowId } from './ask.ts'

export default defineVerb({
  about: 'Keep machines for a workflow; those it has already stay.',
  args: {
    ...NAMED_WORKFLOW,
    workers: {
      type: 'positional',
      required: false,
      valueHint: 'WORKER…',
      description: 'machines, as [user@]host[:port]',
    },
    file: { type: 'string', valueHint: 'PATH', description: 'file with a machine on each line' },
    ...FORMAT,
    ...CONTROL_PLANE,
  },
  examples: ['remote add 3 ada@n1 ada@n2:2222', 'remote add 3 --file machines.txt'],
  repeatsLast: true,
  async run(args) {
    const format = formatOf(args.format)
    const workers = [...args._.slice(1), ...(args.file === undefined ? [] : readWorkers(args.file))]
    if (workers.length === 0) throw usageError('Cannot add machines without one: give WORKER or --file')
    for (const worker of workers) parseWorker(worker)
    return withControlPlane(args, async controlPlane => {
      const id = await workflowId(controlPlane, args.workflow)
      const { client, where } = controlPlane
      const reply = await client.request<object[]>('POST', `/workflows/${id}/remote_workers`, workers)
      const added = expectValue(reply, `add remote workers to workflow ${id}`, where)
      if (format === 'json') printJsonList(added)
      else print(`Workflow ${id} has ${workers.join(', ')}.`)
      return 0
    })
  },
})

function readWorkers(path: string): string[] {
  try {
    return parseWorkerFile(readFileSync(path, 'utf8'))
  } catch (error) {
    throw usageError(`Cannot read --file ${path} (${(error as NodeJS.ErrnoException).code})`)
  }
}
