import { serverAddress } from '../client/server-address.ts'
import { CommandError, usageError } from '../command-line/error.ts'
import { countFlag, idFlag } from '../command-line/flags.ts'
import { CONTROL_PLANE } from '../command-line/options.ts'
import { defineVerb } from '../command-line/verb.ts'
import { runElement } from '../pipe/element.ts'
import { RUN } from '../pipe/run-argument.ts'
import { createProgress } from '../screen/progress.ts'
import { tuneEngine } from '../tune-engine.ts'

export default defineVerb({
  about:
    'Run as one element of an array: what the generated scripts call. Everything else it learns from the control plane, as it was fixed when the run was staged. Ends with 0 whatever became of its jobs.',
  args: {
    ...RUN,
    worker: {
      type: 'string',
      valueHint: 'N',
      description: 'number of this element (default: HEADRACE_WORKER, else 1)',
    },
    url: CONTROL_PLANE.url,
    'ca-cert': CONTROL_PLANE['ca-cert'],
  },
  examples: ['pipe work 2 --url http://login1:8080'],
  async run(args) {
    tuneEngine()
    const { env } = process
    const address = serverAddress({ url: args.url, caCert: args['ca-cert'] }, env)
    if (address === undefined) throw usageError('Cannot run as an element without the control plane: give --url')
    const runId = idFlag('the number of the pipe run', args.run)
    const worker = countFlag('--worker', args.worker ?? env.HEADRACE_WORKER, 1) ?? 1
    const progress = createProgress(process.stderr, env, Date.now)
    const outcome = await runElement({ runId, worker, submission: env.HEADRACE_ALLOCATION_NAME, address }, progress)
    progress.end()
    if (outcome === 'over') process.stderr.write(`Pipe run ${runId} has ended: nothing to do\n`)
    else if (outcome.kind === 'refused') throw new CommandError(outcome.message, outcome.exitCode)
    return 0
  },
})
