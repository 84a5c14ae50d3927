import { FORMAT } from '../command-line/options.ts'
import { defineVerb } from '../command-line/verb.ts'
import { readSpecFile } from '../spec-file.ts'
import { reportSpec } from '../spec-report.ts'
import { formatOf } from './ask.ts'

export default defineVerb({
  about:
    'Check a workflow file: all errors and warnings at once, each with its place, its code and how to mend it. Needs no server. Exit code 0: valid, 1: not.',
  args: {
    file: {
      type: 'positional',
      required: true,
      valueHint: 'FILE',
      description: 'workflow file: YAML, JSON, JSON5 or KDL; - reads standard input',
    },
    strict: { type: 'boolean', description: 'exit code 1 for warnings too' },
    'skip-checks': { type: 'boolean', description: "let jobs pass that do not fit the file's schedulers" },
    ...FORMAT,
  },
  examples: ['validate flow.yaml', 'validate flow.kdl --strict --format json'],
  async run(args) {
    const asJson = formatOf(args.format) === 'json'
    const spec = await readSpecFile(args.file, process.cwd(), args['skip-checks'])
    return reportSpec(spec, { asJson, withCodes: true, strict: args.strict })
  },
})
