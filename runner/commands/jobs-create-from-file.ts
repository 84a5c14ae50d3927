import { readCommandLines } from '../../api/core/spec/exec.ts'
import { newJobNames } from '../ad-hoc/job-names.ts'
import { usageError } from '../command-line/error.ts'
import { countFlag } from '../command-line/flags.ts'
import { CONTROL_PLANE, FORMAT, NAMED_WORKFLOW } from '../command-line/options.ts'
import { print, printJson } from '../command-line/output.ts'
import { defineVerb } from '../command-line/verb.ts'
import { counted } from '../screen/format.ts'
import { readTextFile } from '../text-file.ts'
import { expectValue, formatOf, listAll, withControlPlane, workflowId } from './ask.ts'

export default defineVerb({
  about:
    'Add a job to a workflow for each line of a file. Blank lines and lines with # in front are no commands. The jobs share a new set of resources.',
  args: {
    ...NAMED_WORKFLOW,
    file: {
      type: 'positional',
      required: true,
      valueHint: 'FILE',
      description: 'a command per line; - reads standard input',
    },
    'num-cpus': { type: 'string', valueHint: 'N', description: 'CPUs of each job (default: 1)' },
    'num-gpus': { type: 'string', valueHint: 'N', description: 'GPUs of each job (default: 0)' },
    'num-nodes': { type: 'string', valueHint: 'N', description: 'nodes of each job (default: 1)' },
    memory: { type: 'string', valueHint: 'SIZE', description: 'memory of each job, such as 512m or 4g (default: 1m)' },
    runtime: {
      type: 'string',
      valueHint: 'TIME',
      description: 'how long each may take, such as PT30M (default: PT1M)',
    },
    ...FORMAT,
    ...CONTROL_PLANE,
  },
  examples: ['jobs create-from-file 3 commands.txt --memory 2g --runtime PT10M'],
  async run(args) {
    const format = formatOf(args.format)
    const amounts = {
      num_cpus: countFlag('--num-cpus', args['num-cpus'], 1) ?? 1,
      num_gpus: countFlag('--num-gpus', args['num-gpus'], 0) ?? 0,
      num_nodes: countFlag('--num-nodes', args['num-nodes'], 1) ?? 1,
      memory: args.memory ?? '1m',
      runtime: args.runtime ?? 'PT1M',
    }
    const commands = readCommandLines(readTextFile(args.file, 'commands'))
    if (commands.length === 0) throw usageError(`Cannot add jobs as ${args.file} has no commands`)
    return withControlPlane(args, async controlPlane => {
      const { client, where } = controlPlane
      const workflow_id = await workflowId(controlPlane, args.workflow)
      const doing = `add jobs to workflow ${workflow_id}`
      const jobs = await listAll<{ name: string }>(client, `/jobs?workflow_id=${workflow_id}`, doing, where)
      const names = newJobNames(commands.length, jobs.length + 1, new Set(jobs.map(job => job.name)))
      const set = { workflow_id, name: `from_file_${jobs.length + 1}`, ...amounts }
      const { id } = expectValue(
        await client.request<{ id: number }>('POST', '/resource_requirements', set),
        doing,
        where,
      )
      const added = commands.map((command, index) => ({
        workflow_id,
        name: names[index],
        command,
        resource_requirements_id: id,
      }))
      const reply = await client.request<{ jobs: { id: number; name: string }[] }>('POST', '/bulk_jobs', {
        jobs: added,
      })
      const made = expectValue(reply, doing, where).jobs.map(job => ({ id: job.id, name: job.name }))
      if (format === 'json') printJson({ workflow_id, resource_requirements_id: id, jobs: made })
      else
        print(
          `${counted(made.length, 'job')} added to workflow ${workflow_id}: ${made[0]!.name} to ${made.at(-1)!.name}.`,
        )
      return 0
    })
  },
})
