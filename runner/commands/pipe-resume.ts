import { CONTROL_PLANE, FORMAT } from '../command-line/options.ts'
import { print, printJson } from '../command-line/output.ts'
import { defineVerb } from '../command-line/verb.ts'
import { renderProgress } from '../pipe/render.ts'
import { findRun, RUN } from '../pipe/run-argument.ts'
import type { PipeRun } from '../pipe/wire.ts'
import { expectValue, formatOf, withControlPlane } from './ask.ts'

export default defineVerb({
  about:
    'Let a paused run submit again. A post step whose process was ended before it could tell its exit code is run anew.',
  args: { ...RUN, ...FORMAT, ...CONTROL_PLANE },
  examples: ['pipe resume 2'],
  async run(args) {
    const format = formatOf(args.format)
    return withControlPlane(args, async controlPlane => {
      const { client, where } = controlPlane
      const { id } = await findRun(controlPlane, args.run)
      const reply = await client.request<PipeRun>('PUT', `/pipe_runs/${id}`, { resume: true })
      const run = expectValue(reply, `resume pipe run ${id}`, where)
      if (format === 'json') printJson(run)
      else print(renderProgress(run))
      return 0
    })
  },
})
