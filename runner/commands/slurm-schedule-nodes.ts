import { resolve } from 'node:path'
import { needAddress } from '../allocate/address.ts'
import { cannotRun, usageError } from '../command-line/error.ts'
import { countFlag, leaseFlag } from '../command-line/flags.ts'
import { CONTROL_PLANE, FORMAT, LEASE, WORKFLOW } from '../command-line/options.ts'
import { print, printJson } from '../command-line/output.ts'
import { defineVerb } from '../command-line/verb.ts'
import { OUTPUT_DIR } from '../defaults.ts'
import { counted } from '../screen/format.ts'
import { openCluster } from '../slurm/cluster.ts'
import { type Asked, listSchedulers, readScheduler, readWorkflow, type SlurmScheduler } from '../slurm/rows.ts'
import { nameOf, prepareScript, scheduleNodes } from '../slurm/schedule-nodes.ts'
import { formatOf, withControlPlane, workflowId } from './ask.ts'

export default defineVerb({
  about:
    'Ask Slurm for allocations of a workflow, each with a runner that takes its jobs. Exit code 3 when Slurm does not take all of them.',
  args: {
    ...WORKFLOW,
    'num-hpc-jobs': { type: 'string', alias: 'n', valueHint: 'N', description: 'how many allocations (default: 1)' },
    'scheduler-config-id': {
      type: 'string',
      valueHint: 'ID',
      description: 'which of the Slurm schedulers of the workflow (default: the only one)',
    },
    'start-one-worker-per-node': { type: 'boolean', description: 'start a runner on each node of an allocation' },
    'max-parallel-jobs': {
      type: 'string',
      alias: 'm',
      valueHint: 'N',
      description: 'run N jobs at once on a node, whatever they require',
    },
    ...LEASE,
    'job-prefix': {
      type: 'string',
      alias: 'j',
      valueHint: 'TEXT',
      description: 'begin the names in the queue with it',
    },
    'dry-run': { type: 'boolean', description: 'print the script, submit nothing' },
    ...FORMAT,
    ...CONTROL_PLANE,
  },
  examples: ['slurm schedule-nodes 3 -n 2', 'slurm schedule-nodes 3 --scheduler-config-id 1 --dry-run'],
  async run(args) {
    const format = formatOf(args.format)
    const count = countFlag('--num-hpc-jobs', args['num-hpc-jobs'], 1) ?? 1
    const schedulerId = countFlag('--scheduler-config-id', args['scheduler-config-id'], 1)
    const maxParallelJobs = countFlag('--max-parallel-jobs', args['max-parallel-jobs'], 1)
    const leaseSeconds = leaseFlag(args.lease)
    return withControlPlane(args, async controlPlane => {
      const id = await workflowId(controlPlane, args.workflow)
      const wish = {
        workflow: await readWorkflow(controlPlane, id),
        scheduler: await chooseScheduler(controlPlane, id, schedulerId),
        count,
        perNode: args['start-one-worker-per-node'] === true,
        maxParallelJobs,
        leaseSeconds,
        jobPrefix: args['job-prefix'],
      }
      const site = {
        address: needAddress(controlPlane),
        outputDir: resolve(args['output-dir'] ?? OUTPUT_DIR),
        cwd: process.cwd(),
      }
      if (args['dry-run']) {
        const { name, text } = prepareScript(wish, site, undefined)
        if (format === 'json') printJson({ workflow_id: id, name, script: text, num_allocations: count })
        else print(text)
        return 0
      }
      const note = (line: string) => process.stderr.write(`${line}\n`)
      const { nodes, trouble } = await scheduleNodes(wish, controlPlane, site, openCluster(), note)
      if (format === 'json') {
        printJson({ workflow_id: id, items: nodes, count: nodes.length, trouble: trouble?.message })
      } else if (nodes.length > 0) {
        const ids = nodes.map(node => node.scheduler_id).join(', ')
        print(`Slurm has taken ${counted(nodes.length, 'allocation')} of scheduler ${nameOf(wish.scheduler)}: ${ids}`)
      }
      if (trouble !== undefined)
        throw cannotRun(`Cannot schedule ${count - nodes.length} of ${count}: ${trouble.message}`)
      return 0
    })
  },
})

async function chooseScheduler(asked: Asked, workflowId: number, id: number | undefined): Promise<SlurmScheduler> {
  if (id !== undefined) {
    const scheduler = await readScheduler(asked, id)
    if (scheduler.workflow_id === workflowId) return scheduler
    throw usageError(
      `Cannot use scheduler ${id} as it belongs to workflow ${scheduler.workflow_id}, not to workflow ${workflowId}`,
    )
  }
  const schedulers = await listSchedulers(asked, workflowId)
  const [only] = schedulers
  if (only === undefined) {
    throw usageError(
      `Cannot schedule nodes of workflow ${workflowId} as it has no Slurm scheduler: \`runner slurm regenerate ${workflowId}\` makes what its jobs need`,
    )
  }
  if (schedulers.length === 1) return only
  throw usageError(
    `Cannot schedule nodes of workflow ${workflowId} as it has several schedulers: give --scheduler-config-id, one of ${schedulers.map(nameOf).join(', ')}`,
  )
}
