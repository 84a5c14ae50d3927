import { allValues } from '../command-line/arguments.ts'
import { CommandError } from '../command-line/error.ts'
import { CONTROL_PLANE, FORMAT, LEASE } from '../command-line/options.ts'
import { print, printJson, stdoutPaint } from '../command-line/output.ts'
import { defineVerb } from '../command-line/verb.ts'
import { FINISHED_JOBS_ARGS } from '../job-threads/arguments.ts'
import { LOG_LEVELS } from '../log-file.ts'
import { nearPath } from '../near-path.ts'
import { parseRunOptions } from '../run-options.ts'
import { allCompleted } from '../screen/counts.ts'
import { createProgress } from '../screen/progress.ts'
import { renderSummary } from '../screen/summary.ts'
import { summaryDocument } from '../screen/summary-document.ts'
import { TRIAL_ARGS } from '../trial.ts'
import { tuneEngine } from '../tune-engine.ts'
import { formatOf } from './ask.ts'

export const RUN_ARGS = {
  target: {
    type: 'positional',
    required: true,
    valueHint: 'FILE|ID',
    description: 'workflow file, or the id of a workflow that exists',
  },
  'max-parallel-jobs': {
    type: 'string',
    alias: 'j',
    valueHint: 'N',
    description: 'run N jobs at once whatever they require (default: as many as their requirements allow)',
  },
  'num-cpus': { type: 'string', valueHint: 'N', description: 'CPUs to offer (default: all this process may use)' },
  'memory-gb': {
    type: 'string',
    valueHint: 'N',
    description: 'memory to offer in GiB (default: all this process may use)',
  },
  'num-gpus': { type: 'string', valueHint: 'N', description: 'GPUs to offer (default: all that are visible)' },
  'bind-to': {
    type: 'string',
    valueHint: 'core|none',
    description:
      'keep each job to as many cores as it requires, and no two jobs to one; or let all run anywhere (default: none)',
  },
  'max-log-size': {
    type: 'string',
    valueHint: 'SIZE',
    description: 'keep the beginning and the end of larger log files of jobs, such as 10m (default: all of them)',
  },
  overcommit: { type: 'boolean', description: 'allow more CPUs and memory than there are' },
  'time-limit': { type: 'string', valueHint: 'TIME', description: 'stop after this time, such as 1h30m or PT1H30M' },
  'end-time': {
    type: 'string',
    valueHint: 'MOMENT',
    description: 'stop at this moment, such as 2026-11-21T18:00:00Z; the earlier of this and --time-limit counts',
  },
  'idle-exit': {
    type: 'string',
    valueHint: 'TIME',
    description:
      'stay this long without work (default: what the workflow says, and not at all for jobs that cannot run here)',
  },
  ...LEASE,
  scratch: {
    type: 'string',
    valueHint: 'DIR',
    description:
      'give each job a directory of its own below this one, as HEADRACE_SCRATCH and TMPDIR; it is gone when the job has ended',
  },
  'log-level': {
    type: 'string',
    valueHint: LOG_LEVELS.join('|'),
    description: 'what goes into the log file of the runner in the output directory at least (default: info)',
  },
  new: { type: 'boolean', description: 'make another workflow even if the file has one here' },
  'retry-failed': { type: 'boolean', description: 'run failed jobs and what hangs below them again' },
  'skip-checks': { type: 'boolean', description: "let jobs pass that do not fit the file's schedulers" },
  label: {
    type: 'string',
    valueHint: 'LABEL',
    description: 'take only jobs with these labels (repeatable, or joined with commas)',
  },
  'scheduler-config-id': { type: 'string', valueHint: 'ID', description: 'take jobs bound to this scheduler too' },
  'strict-scheduler-match': { type: 'boolean', description: 'never take jobs bound to another scheduler' },
  durability: {
    type: 'string',
    valueHint: 'process|power',
    description: 'what is safe: process (default) outlives every crash of a program, power also that of the machine',
  },
  ...FINISHED_JOBS_ARGS,
  ...TRIAL_ARGS,
  ...FORMAT,
  ...CONTROL_PLANE,
} as const

export default defineVerb({
  about:
    'Run a workflow on this machine. The same command again goes on where the last one ended. Exit code 0: all jobs completed, 1: some did not.',
  args: RUN_ARGS,
  examples: [
    'run examples/diamond.yaml',
    'run examples/sweep.yaml -j 2 --output-dir sweep_output',
    'run 3 --url http://login1:8080 --time-limit 4h',
  ],
  async run(args, rawArgs) {
    tuneEngine()
    const format = formatOf(args.format)
    const flags = { ...args, labels: allValues(RUN_ARGS, rawArgs, 'label') }
    const options = parseRunOptions(flags, process.env, process.cwd())
    const { runWorkflow } = await import('../run-workflow.ts')
    const progress = createProgress(process.stderr, process.env, Date.now)
    const outcome = await runWorkflow(options, progress)
    progress.end()
    if (outcome.kind === 'refused') throw new CommandError(outcome.message, outcome.exitCode)
    if (format === 'json') printJson(summaryDocument(outcome.summary))
    else print(renderSummary(outcome.summary, stdoutPaint(), path => nearPath(path, process.cwd())))
    // A batch scheduler takes another code for a fault of the allocation, and some for a wish to run it again.
    if (process.env.HEADRACE_ALLOCATION_NAME !== undefined) return 0
    return allCompleted(outcome.summary.counts) ? 0 : 1
  },
})
