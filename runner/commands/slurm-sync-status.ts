import { setTimeout as sleep } from 'node:timers/promises'
import { cannotRun } from '../command-line/error.ts'
import { CONTROL_PLANE, FORMAT, WORKFLOW } from '../command-line/options.ts'
import { print, printJson } from '../command-line/output.ts'
import { defineVerb } from '../command-line/verb.ts'
import { counted } from '../screen/format.ts'
import { openCluster } from '../slurm/cluster.ts'
import { findLost, type LostAllocation, type Settled, settleLost } from '../slurm/sync-status.ts'
import { formatOf, withControlPlane, workflowId } from './ask.ts'

/** Between the two listings that an allocation has to be missing from. */
const BETWEEN_LISTINGS_MS = 1_000

export default defineVerb({
  about:
    "Compare what is believed of a workflow's allocations with Slurm's queue: those that are over are closed, and the jobs they had run again as their loss budget allows.",
  args: {
    ...WORKFLOW,
    'dry-run': { type: 'boolean', description: 'show what would be done, change nothing' },
    ...FORMAT,
    ...CONTROL_PLANE,
  },
  examples: ['slurm sync-status 3', 'slurm sync-status 3 --dry-run'],
  async run(args) {
    const format = formatOf(args.format)
    const dryRun = args['dry-run'] === true
    return withControlPlane(args, async controlPlane => {
      const id = await workflowId(controlPlane, args.workflow)
      const pause = () => sleep(BETWEEN_LISTINGS_MS)
      const found = await findLost(id, controlPlane, openCluster().scheduler, pause)
      if (found.kind === 'unknown') {
        throw cannotRun(`Cannot compare workflow ${id} with Slurm, and nothing is changed: ${found.message}`)
      }
      const items = []
      for (const lost of found.lost) {
        items.push(documentOf(lost, dryRun ? undefined : await settleLost(lost, controlPlane)))
      }
      if (format === 'json') {
        printJson({ workflow_id: id, dry_run: dryRun, items, count: items.length, alive: found.alive.length })
      } else
        print(
          [...items.map(lineOf), `${counted(found.alive.length, 'allocation')} in the queue or running.`].join('\n'),
        )
      return 0
    })
  },
})

const documentOf = ({ node, runners, status, jobs }: LostAllocation, settled: Settled | undefined) => ({
  scheduled_compute_node_id: node.id,
  scheduler_id: node.scheduler_id,
  status_before: node.status,
  status,
  compute_node_ids: runners.map(runner => runner.id),
  job_ids: jobs.map(job => job.id),
  ...(settled && { ready_job_ids: settled.again, failed_job_ids: settled.failed }),
})

function lineOf(item: ReturnType<typeof documentOf>): string {
  const start = `Allocation ${item.scheduler_id} is gone (was ${item.status_before}, now ${item.status})`
  if (item.ready_job_ids === undefined) return `${start}: ${counted(item.job_ids.length, 'job')} would be lost`
  return `${start}: ${counted(item.ready_job_ids.length, 'job')} to run again, ${item.failed_job_ids?.length ?? 0} failed`
}
