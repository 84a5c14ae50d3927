import { cannotRun } from '../command-line/error.ts'
import { wordFlag } from '../command-line/flags.ts'
import { CONTROL_PLANE } from '../command-line/options.ts'
import { print } from '../command-line/output.ts'
import { defineVerb } from '../command-line/verb.ts'
import { outputFile, SPEC_FORMATS, SPEC_OUTPUT, specFormatOf, writeResult } from '../spec-output.ts'
import { expectValue, withControlPlane, workflowId } from './ask.ts'

/** A large workflow takes its time to be read. */
const TIMEOUT_MS = 600_000

export default defineVerb({
  about:
    'Write a workflow as one document: everything that is stored, for `runner import`, or with --as a workflow file to read, change and run. A file has what was asked for, not how it went, and each job for itself.',
  args: {
    id: {
      type: 'positional',
      required: false,
      valueHint: 'ID',
      description: 'id of the workflow (default: the newest)',
    },
    as: {
      type: 'string',
      valueHint: 'FORMAT',
      description: 'a workflow file in yaml, json, json5 or kdl (default: as the output is called, else the document)',
    },
    'without-results': { type: 'boolean', description: 'leave out how jobs went' },
    'without-events': { type: 'boolean', description: 'leave out events' },
    ...SPEC_OUTPUT,
    ...CONTROL_PLANE,
  },
  examples: ['export 3 -o workflow3.ndjson', 'export 3 --as yaml', 'export 3 -o again.kdl'],
  async run(args) {
    const output = outputFile(args.output)
    const format = wordFlag('--as', args.as, SPEC_FORMATS) ?? specFormatOf(output)
    return withControlPlane(args, async controlPlane => {
      const { client, where } = controlPlane
      const id = await workflowId(controlPlane, args.id)
      const isFile = format !== undefined
      const parts = `include_results=${!isFile && !args['without-results']}&include_events=${!isFile && !args['without-events']}`
      const reply = await client.request<string>('GET', `/workflows/${id}/export?${parts}`, undefined, {
        asText: true,
        timeoutMs: TIMEOUT_MS,
      })
      const document = expectValue(reply, `export workflow ${id}`, where)
      const text = format === undefined ? document : await toFile(id, document, format)
      if (output === undefined) print(text)
      else writeResult(output, text, args.force === true)
      return 0
    })
  },
})

async function toFile(id: number, document: string, format: (typeof SPEC_FORMATS)[number]): Promise<string> {
  const [{ readStored }, { toDocument }, { toMapNode }, { writeSpec }, { Unwritable }] = await Promise.all([
    import('../stored-workflow.ts'),
    import('../../api/core/spec/document.ts'),
    import('../../api/core/spec/json-node.ts'),
    import('../../api/spec/write.ts'),
    import('../../api/spec/unwritable.ts'),
  ])
  const stored = readStored(document)
  if ('message' in stored) {
    throw cannotRun(`Cannot say workflow ${id} as a file: ${stored.message}; without --as it can be exported`)
  }
  try {
    return await writeSpec(toMapNode(toDocument(stored)), format)
  } catch (error) {
    if (error instanceof Unwritable) throw cannotRun(`Cannot say workflow ${id} in ${format}: ${error.message}`)
    throw error
  }
}
