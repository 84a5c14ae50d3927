import { usageError } from '../command-line/error.ts'
import { CONTROL_PLANE, FORMAT } from '../command-line/options.ts'
import { print, printJson } from '../command-line/output.ts'
import { defineVerb } from '../command-line/verb.ts'
import { createFromFile } from '../create-workflow.ts'
import { counted } from '../screen/format.ts'
import { readSpecFile } from '../spec-file.ts'
import { reportSpec } from '../spec-report.ts'
import { expectValue, formatOf, withControlPlane } from './ask.ts'

export default defineVerb({
  about:
    'Make a workflow of a file without running it. With --dry-run only check the file: exit code 0 when it is valid, 1 when not.',
  args: {
    file: {
      type: 'positional',
      required: true,
      valueHint: 'FILE',
      description: 'workflow file: YAML, JSON, JSON5 or KDL',
    },
    'dry-run': { type: 'boolean', description: 'check and expand the file, change nothing' },
    'skip-checks': { type: 'boolean', description: "let jobs pass that do not fit the file's schedulers" },
    ...FORMAT,
    ...CONTROL_PLANE,
  },
  examples: ['create examples/diamond.yaml --dry-run', 'create examples/diamond.yaml --url http://127.0.0.1:8080'],
  async run(args) {
    const format = formatOf(args.format)
    const cwd = process.cwd()
    const spec = await readSpecFile(args.file, cwd, args['skip-checks'])
    if (args['dry-run']) return reportSpec(spec, { asJson: format === 'json' })

    process.stderr.write(spec.warnings.map(line => `${line}\n`).join(''))
    const { workflow, hash } = spec
    if (workflow === undefined || hash === undefined) throw usageError(spec.errors.join('\n'))
    return withControlPlane(
      args,
      async ({ client, where }) => {
        const doing = `create a workflow of ${args.file}`
        const { workflow_id } = expectValue(
          await createFromFile(client, { path: spec.path, workflow, hash }, cwd),
          doing,
          where,
        )
        const message = `Workflow ${workflow_id} (${workflow.name}) created with ${counted(workflow.jobs.length, 'job')}.`
        if (format === 'json') printJson({ workflow_id, status: 'success', message })
        else print(`${message} Run it with: runner run ${workflow_id}`)
        return 0
      },
      { create: true },
    )
  },
})
