import { usageError } from '../command-line/error.ts'
import { FORMAT } from '../command-line/options.ts'
import { print, printJson, screenWidth } from '../command-line/output.ts'
import { defineVerb } from '../command-line/verb.ts'
import { chooseProfile, surroundings } from '../hpc/choose.ts'
import type { Partition } from '../hpc/types.ts'
import { createCommandRunner } from '../schedulers/command.ts'
import { type Column, renderTable } from '../screen/table.ts'
import { placeExpanded } from '../slurm/placed-jobs.ts'
import { needAllPlaced, PLAN_OPTIONS, readPlanOptions } from '../slurm/plan-flags.ts'
import { planSchedulers } from '../slurm/plan-schedulers.ts'
import { jobsOf } from '../slurm/show-plan.ts'
import { predictStart, recommend, type Strategy, strategiesOf } from '../slurm/strategies.ts'
import { formatWalltime } from '../slurm/walltime.ts'
import { readSpecFile } from '../spec-file.ts'
import { formatOf } from './ask.ts'

type Row = Strategy & { scheduler: string; partition: string; jobs: number; isRecommended: boolean }

const COLUMNS: readonly Column<Row>[] = [
  { title: 'SCHEDULER', value: row => row.scheduler },
  { title: 'JOBS', value: row => row.jobs, align: 'right' },
  { title: 'STRATEGY', value: row => row.name + (row.isRecommended ? ' *' : '') },
  { title: 'ALLOCATIONS', value: row => row.allocations, align: 'right' },
  { title: 'NODES EACH', value: row => row.nodes, align: 'right' },
  { title: 'WALLTIME', value: row => formatWalltime(row.walltimeSeconds), align: 'right' },
  { title: 'WOULD START', value: row => row.trouble ?? (row.startMs && new Date(row.startMs).toISOString()) },
]

export default defineVerb({
  about:
    'Compare ways to ask for the nodes that a workflow file needs: many small allocations or one large, and when Slurm would start them. Nothing is submitted.',
  args: {
    file: { type: 'positional', required: true, valueHint: 'FILE', description: 'workflow file' },
    ...PLAN_OPTIONS,
    offline: { type: 'boolean', description: 'do not ask Slurm when they would start' },
    ...FORMAT,
  },
  examples: [
    'slurm plan-allocations flow.yaml --account physics',
    'slurm plan-allocations flow.yaml --account physics --profile kestrel --offline',
  ],
  async run(args) {
    const format = formatOf(args.format)
    const { workflow, errors } = await readSpecFile(args.file, process.cwd(), true)
    if (workflow === undefined) throw usageError(errors.join('\n'))
    const profile = await chooseProfile(args.profile, surroundings())
    // One large allocation is one of the ways that are compared.
    const options = { ...readPlanOptions(args, profile), singleAllocation: false }
    const plan = planSchedulers(placeExpanded(workflow), profile.partitions, options)
    needAllPlaced(plan, profile)
    const run = createCommandRunner(process.env)
    const rows: Row[] = []
    for (const group of plan.groups) {
      const most = mostNodesOf(profile.partitions.find(one => one.name === group.scheduler.partition))
      const strategies = strategiesOf(group, most)
      for (const strategy of args.offline ? [] : strategies)
        Object.assign(strategy, await predictStart(strategy, group, run))
      const best = recommend(strategies)
      const { name: scheduler, partition } = group.scheduler
      rows.push(
        ...strategies.map(one => ({ ...one, scheduler, partition, jobs: jobsOf(group), isRecommended: one === best })),
      )
    }
    if (format === 'json') printJson({ profile: profile.name, items: rows.map(documentOf), count: rows.length })
    else print(renderTable(COLUMNS, rows, screenWidth()))
    return 0
  },
})

const mostNodesOf = (partition: Partition | undefined): number =>
  Math.min(partition?.maxNodes ?? Infinity, partition?.totalNodes ?? Infinity)

const documentOf = (row: Row) => ({
  scheduler: row.scheduler,
  partition: row.partition,
  job_count: row.jobs,
  strategy: row.name,
  num_allocations: row.allocations,
  nodes: row.nodes,
  walltime: formatWalltime(row.walltimeSeconds),
  predicted_start: row.startMs === undefined ? undefined : new Date(row.startMs).toISOString(),
  trouble: row.trouble,
  recommended: row.isRecommended,
})
