import { CONTROL_PLANE, FORMAT } from '../command-line/options.ts'
import { print, printJson } from '../command-line/output.ts'
import { defineVerb } from '../command-line/verb.ts'
import { cancelRun } from '../pipe/cancel.ts'
import { findRun, RUN } from '../pipe/run-argument.ts'
import { findScheduler } from '../schedulers/find.ts'
import { formatOf, withControlPlane } from './ask.ts'

export default defineVerb({
  about:
    'Cancel a pipe run: its jobs that have not ended, its queued elements, then those that run. The second time does nothing; `runner jobs reset` brings the jobs back.',
  args: { ...RUN, ...FORMAT, ...CONTROL_PLANE },
  examples: ['pipe cancel 2'],
  exitCodes: { 1: 'the scheduler could not be told' },
  async run(args) {
    const format = formatOf(args.format)
    return withControlPlane(args, async controlPlane => {
      const run = await findRun(controlPlane, args.run)
      const done = await cancelRun(controlPlane.client, findScheduler(run.scheduler), run.id)
      for (const trouble of done.troubles) process.stderr.write(`Elements may go on: ${trouble}\n`)
      if (format === 'json') printJson(done)
      else print(`Pipe run ${run.id} is ${done.state}; ${done.canceled_jobs} jobs were canceled`)
      return done.troubles.length > 0 ? 1 : 0
    })
  },
})
