// Writes the JSON Schema of workflow files to the path given (default: dist/workflow.schema.json), from the tables that the reader
// itself uses. The package ships it, so that editors find it without a server.
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const target = resolve(process.argv[2] ?? `${root}dist/workflow.schema.json`)

// The tables are TypeScript, which Node 20 cannot read.
const { outputFiles } = await build({
  entryPoints: [`${root}api/core/spec/json-schema.ts`],
  bundle: true,
  write: false,
  format: 'esm',
  platform: 'node',
})
const { workflowJsonSchema } = await import(
  `data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`
)
mkdirSync(dirname(target), { recursive: true })
writeFileSync(target, `${JSON.stringify(workflowJsonSchema(), null, 2)}\n`)
