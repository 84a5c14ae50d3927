import { CONTROL_PLANE, FORMAT } from '../command-line/options.ts'
import { print, printJson, screenWidth } from '../command-line/output.ts'
import { defineVerb } from '../command-line/verb.ts'
import { RUN_COLUMNS, renderLeft, renderProgress, SUBMISSION_COLUMNS } from '../pipe/render.ts'
import { findRun, RUN } from '../pipe/run-argument.ts'
import { renderTable } from '../screen/table.ts'
import { formatOf, withControlPlane } from './ask.ts'

export default defineVerb({
  about: 'Show a pipe run: how far it is, what was submitted for it and why.',
  args: { ...RUN, ...FORMAT, ...CONTROL_PLANE },
  examples: ['pipe show 2'],
  async run(args) {
    const format = formatOf(args.format)
    return withControlPlane(args, async controlPlane => {
      const run = await findRun(controlPlane, args.run)
      if (format === 'json') printJson(run)
      else {
        print(renderTable(RUN_COLUMNS, [run], screenWidth()))
        if (run.submissions.length > 0) print(`\n${renderTable(SUBMISSION_COLUMNS, run.submissions, screenWidth())}`)
        for (const one of run.submissions.filter(({ message }) => message !== undefined))
          print(`\n${one.name} (${one.state}): ${one.message}`)
        print(`\n${[renderProgress(run), ...renderLeft(run)].join('\n')}`)
      }
      return 0
    })
  },
})
