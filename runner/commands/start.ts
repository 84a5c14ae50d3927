import { allValues } from '../command-line/arguments.ts'
import { CommandError } from '../command-line/error.ts'
import { print, printJson } from '../command-line/output.ts'
import { defineVerb } from '../command-line/verb.ts'
import { allCompleted } from '../screen/counts.ts'
import { counted, formatSeconds } from '../screen/format.ts'
import { createProgress } from '../screen/progress.ts'
import { readCounts } from '../screen/status.ts'
import { parseStartOptions } from '../start/options.ts'
import type { Served } from '../start/start-runner.ts'
import { tuneEngine } from '../tune-engine.ts'
import { formatOf } from './ask.ts'
import { RUN_ARGS } from './run.ts'

/** Those of `run` that are about making a workflow, or about a database of its own. */
const { target: _, new: __, 'retry-failed': ___, 'skip-checks': ____, db: _____, ...SHARED } = RUN_ARGS

const ARGS = {
  workflows: {
    type: 'positional',
    required: false,
    valueHint: 'WORKFLOW…',
    description: 'ids of workflows (default: every workflow that the token opens, those that are made later too)',
  },
  user: { type: 'string', valueHint: 'NAME', description: 'only workflows of this user' },
  project: { type: 'string', valueHint: 'NAME', description: 'only workflows of this project' },
  ...SHARED,
  'idle-exit': {
    type: 'string',
    valueHint: 'TIME',
    description: 'end after this long without work (default: stay; with named workflows, as run does)',
  },
} as const

export default defineVerb({
  about:
    'Serve many workflows of a server from this node, fairly between users and their workflows. With ids it ends when these are complete; without, it stays until --idle-exit, --time-limit, --end-time or an interrupt ends it. Exit code 1: some jobs of the named workflows did not complete.',
  args: ARGS,
  repeatsLast: true,
  examples: [
    'start --url http://login1:8080 --idle-exit 10m',
    'start 3 5 8 --url http://login1:8080',
    'start --project wind --label gpu --time-limit 24h',
  ],
  async run(args, rawArgs) {
    tuneEngine()
    const format = formatOf(args.format)
    const { _: workflows, ...rest } = args
    const flags = { ...rest, workflows, labels: allValues(ARGS, rawArgs, 'label') }
    const options = parseStartOptions(flags, process.env, process.cwd())
    const { startRunner } = await import('../start/start-runner.ts')
    const progress = createProgress(process.stderr, process.env, Date.now)
    const outcome = await startRunner(options, progress)
    progress.end()
    if (outcome.kind === 'refused') throw new CommandError(outcome.message, outcome.exitCode)
    if (format === 'json') printJson(documentOf(outcome))
    else print(sentenceOf(outcome))
    return outcome.summary === undefined || allCompleted(readCounts(outcome.summary.jobs_by_status)) ? 0 : 1
  },
})

const documentOf = ({ end, finished, workflows, wallSeconds, summary }: Served) => ({
  ended_by: end,
  finished_jobs: finished,
  workflows,
  wall_seconds: wallSeconds,
  jobs_by_status: summary?.jobs_by_status,
})

const sentenceOf = ({ end, finished, workflows, wallSeconds }: Served): string =>
  `Ran ${counted(finished, 'job')} of ${counted(workflows, 'workflow')} in ${formatSeconds(wallSeconds)}; ended: ${ENDS[end]}\n`

const ENDS: Record<Served['end'], string> = {
  complete: 'the workflows are complete',
  canceled: 'the workflow was canceled',
  drained: 'as asked',
  no_room: 'what is left cannot run on this node',
  idle: 'nothing came any more',
  offline: 'the server stayed away',
  launcher_lost: 'the launcher of jobs was killed again and again',
}
