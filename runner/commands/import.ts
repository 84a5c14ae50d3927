import { usageError } from '../command-line/error.ts'
import { CONTROL_PLANE, FORMAT } from '../command-line/options.ts'
import { print, printJson } from '../command-line/output.ts'
import { defineVerb } from '../command-line/verb.ts'
import { counted } from '../screen/format.ts'
import { readTextFile } from '../text-file.ts'
import { expectValue, formatOf, withControlPlane } from './ask.ts'

const TIMEOUT_MS = 600_000

export default defineVerb({
  about: 'Make a workflow of what `runner export` wrote, with its results, or as one that has not run yet.',
  args: {
    file: {
      type: 'positional',
      required: true,
      valueHint: 'FILE',
      description: 'exported document; - reads standard input',
    },
    fresh: { type: 'boolean', description: 'as one that has not run yet' },
    name: { type: 'string', valueHint: 'NAME', description: 'another name than it had' },
    ...FORMAT,
    ...CONTROL_PLANE,
  },
  examples: ['import workflow3.ndjson', 'import workflow3.ndjson --fresh --name again --url http://login1:8080'],
  async run(args) {
    const format = formatOf(args.format)
    const document = readDocument(args.file)
    return withControlPlane(
      args,
      async ({ client, where }) => {
        const query = new URLSearchParams({ fresh: String(args.fresh === true), ...(args.name && { name: args.name }) })
        const reply = await client.request<{ workflow_id: number; job_count: number }>(
          'POST',
          `/workflows/import?${query}`,
          document,
          { contentType: 'application/x-ndjson', timeoutMs: TIMEOUT_MS },
        )
        const made = expectValue(reply, `import ${args.file}`, where)
        if (format === 'json') printJson(made)
        else print(`Workflow ${made.workflow_id} imported with ${counted(made.job_count, 'job')}.`)
        return 0
      },
      { create: true },
    )
  },
})

function readDocument(path: string): string {
  const text = readTextFile(path, 'a document')
  if (/^\s*\{\s*"kind"\s*:\s*"export"/.test(text)) return text
  throw usageError(`Cannot import ${path} as it is no exported workflow: a workflow file is for runner create`)
}
