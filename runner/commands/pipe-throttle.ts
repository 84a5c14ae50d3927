import { countFlag } from '../command-line/flags.ts'
import { CONTROL_PLANE, FORMAT } from '../command-line/options.ts'
import { print, printJson } from '../command-line/output.ts'
import { defineVerb } from '../command-line/verb.ts'
import { findRun, RUN } from '../pipe/run-argument.ts'
import { throttleRun } from '../pipe/throttle.ts'
import { findScheduler } from '../schedulers/find.ts'
import { formatOf, withControlPlane } from './ask.ts'

export default defineVerb({
  about:
    'Change how many elements of a pipe run may be at work at once, now and in arrays to come. Elements that are at work stay until they end by themselves.',
  args: {
    ...RUN,
    most: { type: 'positional', required: true, valueHint: 'N', description: 'elements at once, 1 or more' },
    ...FORMAT,
    ...CONTROL_PLANE,
  },
  examples: ['pipe throttle 2 20'],
  exitCodes: { 1: 'the scheduler could not be told; arrays to come keep to it' },
  async run(args) {
    const format = formatOf(args.format)
    const most = countFlag('the number of elements', args.most, 1)!
    return withControlPlane(args, async controlPlane => {
      const { id, scheduler } = await findRun(controlPlane, args.run)
      const { run, changed, troubles } = await throttleRun(controlPlane.client, findScheduler(scheduler), id, most)
      for (const trouble of troubles) process.stderr.write(`Elements keep to the old number: ${trouble}\n`)
      if (format === 'json') printJson({ id, throttle: run.throttle, changed_arrays: changed, troubles })
      else print(`Pipe run ${id}: at most ${most} elements at once; ${changed} arrays of ${scheduler} were changed`)
      return troubles.length > 0 ? 1 : 0
    })
  },
})
