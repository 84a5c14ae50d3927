import { isPipeOver } from '../../api/core/pipe/state.ts'
import { cannotRun } from '../command-line/error.ts'
import { CONTROL_PLANE, FORMAT } from '../command-line/options.ts'
import { defineVerb } from '../command-line/verb.ts'
import { openReachable } from '../pipe/control-plane.ts'
import { FOLLOWING, followRuns, parseFollowing } from '../pipe/following.ts'
import { findRun, RUN } from '../pipe/run-argument.ts'
import { formatOf } from './ask.ts'

export default defineVerb({
  about:
    'Submit a pipe run that is staged, as after the scheduler has refused it, and look after it. One that was submitted is looked after, and not submitted again while it lives.',
  args: { ...RUN, ...FOLLOWING, ...FORMAT, ...CONTROL_PLANE },
  examples: ['pipe submit 2', 'pipe submit 2 --detach'],
  exitCodes: { 1: 'some jobs did not complete, or wait for somebody' },
  async run(args) {
    const format = formatOf(args.format)
    const controlPlane = await openReachable(args, process.env, { mayServe: true })
    try {
      const run = await findRun(controlPlane, args.run)
      if (isPipeOver(run.state)) throw cannotRun(`Cannot submit pipe run ${run.id} as it has ended: it is ${run.state}`)
      const following = parseFollowing(args, run.scheduler)
      return await followRuns([run], { ...controlPlane, workflowId: run.workflow_id }, { ...following, format })
    } finally {
      await controlPlane.close()
    }
  },
})
