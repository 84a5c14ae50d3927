import { usageError } from '../command-line/error.ts'
import { wordFlag } from '../command-line/flags.ts'
import { print } from '../command-line/output.ts'
import { defineVerb } from '../command-line/verb.ts'
import { readWorkflowText } from '../spec-file.ts'
import { outputFile, SPEC_FORMATS, SPEC_OUTPUT, specFormatOf, writeResult } from '../spec-output.ts'

export default defineVerb({
  about:
    'Say a workflow file in another format. The result means the same, or nothing is written; comments come along wherever the other format has any, and what is lost is told.',
  args: {
    file: {
      type: 'positional',
      required: true,
      valueHint: 'FILE',
      description: 'workflow file: YAML, JSON, JSON5 or KDL; - reads standard input',
    },
    to: {
      type: 'string',
      valueHint: 'FORMAT',
      description: 'yaml, json, json5 or kdl (default: as the output is called)',
    },
    ...SPEC_OUTPUT,
  },
  examples: ['convert flow.yaml --to kdl', 'convert flow.kdl -o flow.yaml'],
  async run(args) {
    const output = outputFile(args.output)
    const to = wordFlag('--to', args.to, SPEC_FORMATS) ?? specFormatOf(output)
    if (to === undefined) {
      throw usageError(
        'Cannot convert without a format: give --to yaml, json, json5 or kdl, or an --output that ends in one',
      )
    }
    const [{ convertSpec }, { formatDiagnostic }] = await Promise.all([
      import('../../api/spec/convert.ts'),
      import('../../api/core/spec/report.ts'),
    ])
    const result = await convertSpec(readWorkflowText(args.file, process.cwd()), { fileName: args.file }, to)
    switch (result.kind) {
      case 'invalid':
        throw usageError(result.diagnostics.map(formatDiagnostic).join('\n'))
      case 'unwritable':
        throw usageError(`Cannot convert ${args.file} to ${to}: ${result.message}`)
      case 'converted':
        for (const loss of result.lost) process.stderr.write(`Lost: ${loss}\n`)
        if (output === undefined) print(result.text)
        else writeResult(output, result.text, args.force === true)
        return 0
    }
  },
})
