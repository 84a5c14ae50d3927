// Bundles the simulator into a folder below node_modules, where what stays outside of bundles is found, and runs it.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { buildSync } from 'esbuild'

const root = fileURLToPath(new URL('../..', import.meta.url))
const cache = join(root, 'node_modules/.cache/headrace')
mkdirSync(cache, { recursive: true })
const bundle = mkdtempSync(join(cache, 'simulate-'))
// Also when it is interrupted.
process.on('exit', () => rmSync(bundle, { recursive: true, force: true }))
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))

buildSync({
  entryPoints: ['all-seeds', 'one-seed'].map(name => join(root, `scripts/simulate/${name}.ts`)),
  outdir: bundle,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  external: ['libsql', 'rregex'],
  logLevel: 'warning',
  banner: { js: 'import { createRequire as __cr } from "node:module"; const require = __cr(import.meta.url);' },
})
const { main } = await import(pathToFileURL(join(bundle, 'all-seeds.mjs')).href)
process.exitCode = await main(process.argv.slice(2), join(bundle, 'one-seed.mjs'))
