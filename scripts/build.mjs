// Builds the package: both bins (dist/runner.mjs) with the program in lazily loaded parts and once more whole, with its compiled code
// (runner/bin.ts says why); the program of its job threads; the server that Torc's tools start (dist/torc-server.mjs); and the native helpers where a C compiler is
// found. Without one the shell stand-in takes their place at run time, so that is not an error.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const dist = `${root}dist`
/** Parts of former builds go after this long: a program that runs since before may still load them. */
const STALE_MS = 3_600_000

mkdirSync(dist, { recursive: true })

/** @type {import('esbuild').BuildOptions} */
const common = {
  bundle: true,
  minify: true,
  keepNames: true,
  platform: 'node',
  target: 'node20',
  external: ['libsql', 'rregex'],
  logLevel: 'warning',
}

const whole = await build({
  ...common,
  entryPoints: [`${root}runner/cli.ts`],
  write: false,
  format: 'cjs',
  supported: { 'dynamic-import': false },
  define: { 'import.meta.url': 'moduleUrl' },
  banner: { js: '(function (require, filename) { const moduleUrl = require("node:url").pathToFileURL(filename).href;' },
  footer: { js: '})' },
})
const wholeText = whole.outputFiles[0].text
const wholeName = `program-${createHash('sha256').update(wholeText).digest('hex').slice(0, 8)}`
writeWhole(`${dist}/${wholeName}.cjs`, wholeText)

const made = new Set()
await buildInParts('runner', 'runner/bin.ts', [commonPart(`${root}runner/commands/ping.ts`)])
await buildInParts('job-thread', 'runner/job-threads/worker.ts')
await buildInParts('torc-server', 'api/node/torc-server/main.ts')
chmodSync(`${dist}/runner.mjs`, 0o755)

for (const name of readdirSync(dist)) {
  const path = `${dist}/${name}`
  const ours = made.has(name) || name.startsWith(wholeName)
  if (/\.mjs$|^program-/.test(name) && !ours && Date.now() - statSync(path).mtimeMs > STALE_MS)
    rmSync(path, { force: true })
}

for (const room of ['launcher', 'exec'])
  execFileSync('sh', [`${root}runner/${room}/native/build.sh`, dist], { stdio: 'inherit' })
execFileSync(process.execPath, [`${root}scripts/spec-schema.mjs`, `${dist}/workflow.schema.json`], { stdio: 'inherit' })
compileAhead()

/**
 * Builds a program of which each part is loaded when it is needed.
 * @param {string} name of the program's file in dist, without its ending
 * @param {string} entry its first module's path in the checkout
 * @param {import('esbuild').Plugin[]} plugins
 */
async function buildInParts(name, entry, plugins = []) {
  /** @type {import('esbuild').BuildOptions & { metafile: true }} */
  const options = {
    ...common,
    entryPoints: { [name]: root + entry },
    outdir: dist,
    outExtension: { '.js': '.mjs' },
    chunkNames: 'chunk-[hash]',
    splitting: true,
    format: 'esm',
    define: { WHOLE_PROGRAM: JSON.stringify(wholeName) },
    metafile: true,
    plugins,
    banner: { js: 'import { createRequire as __cr } from "node:module"; const require = __cr(import.meta.url);' },
  }
  // A first round for the plugins to find all that is loaded lazily: a module may be read before the line that loads it so.
  if (plugins.length > 0) await build({ ...options, write: false })
  const { metafile } = await build(options)
  for (const path of Object.keys(metafile.outputs)) made.add(basename(path))
}

/**
 * Makes one part of what every command needs, which is what the smallest command loads. esbuild divides modules by which lazily loaded
 * modules reach them, so the same code would otherwise be some thirty files, each of which takes a third of a millisecond at every start.
 * @param {string} smallest path of that command's module
 * @returns {import('esbuild').Plugin}
 */
function commonPart(smallest) {
  /** @type {Set<string>} */
  const loadedLazily = new Set()
  return {
    name: 'common-part',
    setup(esbuild) {
      esbuild.onResolve({ filter: /^\./ }, ({ kind, path, resolveDir }) => {
        if (kind === 'dynamic-import') loadedLazily.add(resolve(resolveDir, path))
        return undefined
      })
      esbuild.onLoad({ filter: /\.ts$/ }, ({ path }) =>
        loadedLazily.has(path)
          ? { contents: `${readFileSync(path, 'utf8')}\nimport ${JSON.stringify(smallest)}`, loader: 'ts' }
          : undefined,
      )
    },
  }
}

/** Leaves the whole program's compiled code beside it. Only speed hangs on that, so a failure is told and is no error. */
function compileAhead() {
  const code = `${dist}/${wholeName}.v8-${process.versions.v8}-${process.arch}`
  const words = [`${root}scripts/code-cache.mjs`, `${dist}/${wholeName}.cjs`, `${code}.new`]
  try {
    execFileSync(process.execPath, words, { stdio: ['ignore', 'ignore', 'pipe'], timeout: 20_000 })
    renameSync(`${code}.new`, code)
  } catch (error) {
    process.stderr.write(
      `The program is not compiled ahead, so runs start some tens of milliseconds later: ${error.message}\n`,
    )
  }
}

/** Writes a file that others may be about to read: it is there whole or not at all. */
function writeWhole(path, text) {
  writeFileSync(`${path}.new`, text)
  renameSync(`${path}.new`, path)
}
