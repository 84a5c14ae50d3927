import { must } from '../client/must.ts'
import { allValues } from '../command-line/arguments.ts'
import { CONTROL_PLANE, FORMAT, LEASE, NAMED_WORKFLOW } from '../command-line/options.ts'
import { print } from '../command-line/output.ts'
import { defineVerb } from '../command-line/verb.ts'
import { openReachable } from '../pipe/control-plane.ts'
import { dryRun } from '../pipe/dry-run.ts'
import { FOLLOWING, followRuns, parseFollowing, warnOfLoopback } from '../pipe/following.ts'
import { withinLimits } from '../pipe/limits.ts'
import { type PipeOptions, parsePipeOptions, USUAL } from '../pipe/options.ts'
import { outputDirOf } from '../pipe/output-dir.ts'
import { type StagingPlace, stageRun } from '../pipe/stage.ts'
import { stageNext } from '../pipe/stage-next.ts'
import { initialize, isWorkflowFile, workflowOfFile } from '../pipe/target.ts'
import type { PipeRun } from '../pipe/wire.ts'
import { findScheduler } from '../schedulers/find.ts'
import { SCHEDULER_NAMES } from '../schedulers/types.ts'
import type { WorkflowSummary } from '../wire.ts'
import { formatOf, useControlPlane, workflowId } from './ask.ts'

const ARGS = {
  workflow: { ...NAMED_WORKFLOW.workflow, description: 'id or name of the workflow, or a workflow file' },
  scheduler: { type: 'string', valueHint: SCHEDULER_NAMES.join('|'), description: 'the batch scheduler to submit to' },
  width: {
    type: 'string',
    valueHint: 'N',
    description: `at most N elements (default: ${USUAL.width}), never more than jobs`,
  },
  throttle: { type: 'string', valueHint: 'K', description: 'let at most K elements run at once (default: all)' },
  walltime: { type: 'string', valueHint: 'T', description: `wall time, as 4h or 4:00:00 (default: ${USUAL.walltime})` },
  threshold: {
    type: 'string',
    valueHint: 'N',
    description: `make no array for fewer than N ready jobs (default: ${USUAL.threshold})`,
  },
  slots: {
    type: 'string',
    valueHint: 'N',
    description: `jobs that one element runs at once (default: ${USUAL.slots})`,
  },
  family: { type: 'string', valueHint: 'FAMILY', description: 'only jobs of this family' },
  tag: { type: 'string', valueHint: 'NAME=VALUE', description: 'only jobs with this tag (repeatable)' },
  job: { type: 'string', valueHint: 'ID', description: 'only these jobs (repeatable, or joined with commas)' },
  choose: {
    type: 'boolean',
    description: 'let jobs differ: a run for each kind, most ready jobs first, and for what gets ready meanwhile',
  },
  'memory-gb': {
    type: 'string',
    valueHint: 'N',
    description: 'memory of an element in GiB (default: what its jobs need)',
  },
  queue: { type: 'string', valueHint: 'NAME', description: 'queue or partition' },
  account: { type: 'string', valueHint: 'NAME', description: 'account or project' },
  qos: { type: 'string', valueHint: 'NAME', description: 'quality of service' },
  reservation: { type: 'string', valueHint: 'NAME', description: 'reservation' },
  'parallel-environment': { type: 'string', valueHint: 'NAME', description: 'parallel environment of Grid Engine' },
  'memory-complex': { type: 'string', valueHint: 'NAME', description: 'memory complex of Grid Engine' },
  prologue: {
    type: 'string',
    valueHint: 'LINE',
    description: 'shell line before the runner, as for modules (repeatable)',
  },
  directive: { type: 'string', valueHint: 'OPTION', description: 'one more option for the scheduler (repeatable)' },
  'max-array-size': { type: 'string', valueHint: 'N', description: 'most elements that the site takes in one array' },
  grace: {
    type: 'string',
    valueHint: 'TIME',
    description: `wait this long between two submissions of a run (default: ${USUAL.grace})`,
  },
  'idle-exit': {
    type: 'string',
    valueHint: 'TIME',
    description: `an element leaves after this long without work (default: ${USUAL.idleExit}, ${USUAL.idleExitHere} with local)`,
  },
  ...LEASE,
  'post-step': {
    type: 'string',
    valueHint: 'COMMAND',
    description: 'run this once, here, when all jobs of the run have ended',
  },
  durability: {
    type: 'string',
    valueHint: 'process|power',
    description: 'power: results outlive the power of a node too',
  },
  new: { type: 'boolean', description: 'make another workflow even if the file has one here' },
  'dry-run': {
    type: 'boolean',
    description: 'print what would be submitted, and have it checked where the scheduler can',
  },
  ...FOLLOWING,
  ...FORMAT,
  ...CONTROL_PLANE,
} as const

export default defineVerb({
  about:
    'Stage ready jobs of one kind and submit one array, each element of which runs the same runner and pulls work. Then look after it: ask for more elements when work is left and none is there, tell results, end the run.',
  args: ARGS,
  examples: [
    'pipe 3 --scheduler slurm --width 50 --walltime 4h --queue debug',
    'pipe conformers.yaml --scheduler local --width 4 --choose --threshold 4',
    'pipe 3 --scheduler sge --family opt --throttle 10 --walltime 2:00:00 --dry-run',
  ],
  exitCodes: { 1: 'some jobs did not complete, or wait for somebody' },
  async run(args, rawArgs) {
    const format = formatOf(args.format)
    const list = (name: 'job' | 'tag' | 'prologue' | 'directive') => allValues(ARGS, rawArgs, name)
    const options = parsePipeOptions(args, {
      job: list('job'),
      tag: list('tag'),
      prologue: list('prologue'),
      directive: list('directive'),
    })
    const following = parseFollowing(args, options.scheduler)
    const isLocal = options.scheduler === 'local'
    const isDry = args['dry-run'] === true
    return useControlPlane(
      await openReachable(args, process.env, { mayServe: isDry || (isLocal && !following.detach) }),
      async controlPlane => {
        const { client, address } = controlPlane
        const isFile = isWorkflowFile(args.workflow)
        const id = isFile
          ? await workflowOfFile(client, args.workflow, args, args.new ?? false)
          : await workflowId(controlPlane, args.workflow)
        await initialize(client, id)
        const cwd = process.cwd()
        const place: StagingPlace = { client, workflowId: id, address, outputDir: outputDirOf(args), cwd }
        if (isDry) {
          try {
            const { text, isRefused } = await dryRun(place, options)
            print(text)
            return isRefused ? 3 : 0
          } finally {
            // The next call goes on with a file's workflow, unless that was to be another one.
            if (isFile && args.new) await must(client.request('DELETE', `/workflows/${id}`))
          }
        }
        if (!isLocal) warnOfLoopback(address)
        const runs = await runsToFollow(place, await withinLimits(options, findScheduler(options.scheduler)))
        if (runs.length === 0) {
          process.stderr.write(`Workflow ${id} has ended: nothing was submitted\n`)
          return 0
        }
        const next = options.choose ? () => stageNext(place, options) : undefined
        return await followRuns(runs, { ...controlPlane, workflowId: id }, { ...following, format }, next)
      },
    )
  },
})

/** A new run; when the command may choose, also those that an earlier call has begun. None of a workflow that has ended. */
async function runsToFollow(place: StagingPlace, options: PipeOptions): Promise<PipeRun[]> {
  const { client, workflowId } = place
  const { items } = await must(client.request<{ items: PipeRun[] }>('GET', `/workflows/${workflowId}/pipe_runs`))
  const open = items.filter(run => !run.is_over)
  if (options.choose && open.length > 0) {
    const next = await stageNext(place, options)
    return next === undefined ? open : [...open, next]
  }
  const summary = await must(client.request<WorkflowSummary>('GET', `/workflows/${workflowId}/summary`))
  return summary.is_complete ? [] : [await stageRun(place, options)]
}
