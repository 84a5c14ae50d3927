import { EXEC_ARGS, execOptions, readTextIfThere } from '../ad-hoc/exec-flags.ts'
import { CommandError, usageError } from '../command-line/error.ts'
import { print, printJson, stdoutPaint } from '../command-line/output.ts'
import { defineVerb } from '../command-line/verb.ts'
import { nearPath } from '../near-path.ts'
import { parseRunSettings } from '../run-options.ts'
import { allCompleted } from '../screen/counts.ts'
import { createProgress } from '../screen/progress.ts'
import { renderSummary } from '../screen/summary.ts'
import { tuneEngine } from '../tune-engine.ts'
import { formatOf } from './ask.ts'

export default defineVerb({
  about:
    'Run commands as a workflow of their own, one job for each command and each combination of parameters, and wait for the end. Exit code 0: all jobs completed, 1: some did not, or there is nothing to run.',
  args: EXEC_ARGS,
  repeatsLast: true,
  examples: [
    `exec-spec -c 'simulate --case {case}' --param 'case=[wet,dry]' -j 2`,
    'exec-spec -C commands.txt --stdio combined',
    'exec-spec --param n=1:3 -- python fit.py --seed {n}',
  ],
  async run(args, rawArgs) {
    tuneEngine()
    const asJson = formatOf(args.format) === 'json'
    const settings = parseRunSettings(args, process.env, process.cwd())

    const { expandExec } = await import('../../api/core/spec/exec.ts')
    const expansion = expandExec(execOptions(args, rawArgs, new Date()), readTextIfThere)
    if ('fault' in expansion) {
      const message = `Cannot run: ${expansion.fault.message}`
      if (expansion.fault.kind === 'usage') throw usageError(message)
      process.stderr.write(`${message}\n`)
      return 1
    }
    const { workflow } = expansion
    if (args['dry-run']) {
      const { toDocument } = await import('../../api/core/spec/document.ts')
      printJson(toDocument(workflow))
      return 0
    }

    const { runWorkflow } = await import('../run-workflow.ts')
    const progress = createProgress(process.stderr, process.env, Date.now)
    const outcome = await runWorkflow({ ...settings, target: { kind: 'expansion', workflow }, known: 'new' }, progress)
    if (outcome.kind === 'refused') throw new CommandError(outcome.message, outcome.exitCode)
    const { summary } = outcome
    const isDone = allCompleted(summary.counts)
    if (asJson) {
      const { failed, pending_failed: waiting, terminated } = summary.counts
      printJson({
        workflow_id: summary.workflowId,
        status: isDone ? 'completed' : 'failed',
        had_failures: failed + waiting > 0,
        had_terminations: terminated > 0,
      })
    } else print(renderSummary(summary, stdoutPaint(), path => nearPath(path, process.cwd())))
    return isDone ? 0 : 1
  },
})
