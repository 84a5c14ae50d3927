// Writes docs/cli.md (the part below its marker) and docs/man/runner.1 from the commands. Node 20 reads no TypeScript, so the
// renderers are bundled first.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('../../', import.meta.url))
// Inside the project, so that what stays outside the bundle is found.
const directory = mkdtempSync(join(root, 'node_modules', '.cli-docs-'))
try {
  await build({
    entryPoints: [`${root}scripts/cli-docs/pages.ts`],
    outfile: join(directory, 'pages.mjs'),
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    packages: 'external',
    logLevel: 'warning',
  })
  const { makePages } = await import(pathToFileURL(join(directory, 'pages.mjs')).href)
  for (const { path, text } of await makePages(root)) writeFileSync(path, text)
} finally {
  rmSync(directory, { recursive: true, force: true })
}
