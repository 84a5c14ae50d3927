// Builds what is to be measured and copies it, so that a build in the meantime changes nothing; bundles the benchmark and its helper
// programs beside it; and runs. All of it in a folder below node_modules, where what stays outside of bundles is found. `--no-build`
// measures dist/ as it is.
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('../..', import.meta.url))
/**
 * Modules of tests/ find what stands beside them by their own place, and have packages of their own, which need not be there.
 * @type {import('esbuild').Plugin}
 */
const testModules = {
  name: 'test-modules',
  setup(esbuild) {
    esbuild.onLoad({ filter: /\/tests\/(conformance|helpers)\/[^/]+\.ts$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href)),
      loader: 'ts',
    }))
    esbuild.onResolve({ filter: /^miniflare$/ }, () => ({
      path: pathToFileURL(join(root, 'tests/node_modules/miniflare/dist/src/index.js')).href,
      external: true,
    }))
  },
}

const words = process.argv.slice(2)
const noBuild = words.indexOf('--no-build')
if (noBuild >= 0) words.splice(noBuild, 1)
if (noBuild < 0 || !existsSync(join(root, 'dist/runner.cjs')))
  execFileSync(process.execPath, [join(root, 'scripts/build.mjs')], { stdio: 'inherit' })

const cache = join(root, 'node_modules/.cache/headrace')
mkdirSync(cache, { recursive: true })
const bundle = mkdtempSync(join(cache, 'bench-'))
// Also when it is interrupted.
process.on('exit', () => rmSync(bundle, { recursive: true, force: true }))

cpSync(join(root, 'dist'), join(bundle, 'dist'), { recursive: true })
await build({
  entryPoints: [
    'bench',
    'programs/bare-loop',
    'programs/bare-sqld-loop',
    'programs/claim-and-complete',
    'programs/create-workflow',
    'programs/export-and-import',
    'programs/fill-database',
    'programs/fill-relations',
    'programs/finalise-jobs',
    'programs/open-streams',
    'programs/request-rate',
    'programs/run-guarded',
    'programs/serve-target',
    'programs/time-requests',
  ].map(name => join(root, `scripts/bench/${name}.ts`)),
  outbase: join(root, 'scripts/bench'),
  outdir: bundle,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  external: ['libsql', 'rregex'],
  plugins: [testModules],
  logLevel: 'warning',
  banner: { js: 'import { createRequire as __cr } from "node:module"; const require = __cr(import.meta.url);' },
})
const { main } = await import(pathToFileURL(join(bundle, 'bench.mjs')).href)
process.exitCode = await main(words, { root, bundle })
