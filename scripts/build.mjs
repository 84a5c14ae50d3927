// Builds the package: both bins (dist/runner.cjs) with the program in lazily loaded parts and once more whole, both with compiled code
// (runner/bin.ts says why); the program of its job threads; the server that Torc's tools start (dist/torc-server.mjs); and the native
// helpers where a C compiler is found. Without one the shell stand-in takes their place at run time, so that is not an error.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, transform } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const dist = `${root}dist`
/** The ending of a file with what V8 made of the one beside it. */
const CODE = /\.v8-.*/
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

/** @type {import('esbuild').BuildOptions} */
const divided = { outdir: dist, splitting: true, format: 'esm' }

const whole = await build({
  ...common,
  entryPoints: [`${root}runner/cli.ts`],
  write: false,
  format: 'cjs',
  supported: { 'dynamic-import': false },
  define: { 'import.meta.url': 'moduleUrl' },
  banner: { js: '(function (require, moduleUrl) {' },
  footer: { js: '})' },
})
const wholeText = whole.outputFiles[0].text
const wholeName = `program-${createHash('sha256').update(wholeText).digest('hex').slice(0, 8)}`
writeWhole(`${dist}/${wholeName}.cjs`, wholeText)

const made = new Set()
const firstPart = await buildParts('runner/cli.ts', 'runner/commands/ping.ts')
await build({
  ...common,
  entryPoints: [`${root}runner/bin.ts`],
  outfile: `${dist}/runner.cjs`,
  format: 'cjs',
  define: { WHOLE_PROGRAM: JSON.stringify(wholeName), FIRST_PART: JSON.stringify(firstPart) },
})
chmodSync(`${dist}/runner.cjs`, 0o755)
// In a checkout npx remembers the file that was the program when it was first called there: this one in older checkouts.
writeFileSync(`${dist}/runner.mjs`, "#!/usr/bin/env node\nimport './runner.cjs'\n")
chmodSync(`${dist}/runner.mjs`, 0o755)
await buildModules('job-thread', 'runner/job-threads/worker.ts')
await buildModules('torc-server', 'api/node/torc-server/main.ts')

for (const name of readdirSync(dist)) {
  const path = `${dist}/${name}`
  const ours = made.has(name.replace(CODE, '')) || name.startsWith(wholeName)
  if (/\.mjs$|^(program|part)-/.test(name) && !ours && Date.now() - statSync(path).mtimeMs > STALE_MS)
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
 */
async function buildModules(name, entry) {
  const { metafile } = await build({
    ...common,
    ...divided,
    entryPoints: { [name]: root + entry },
    chunkNames: 'chunk-[hash]',
    outExtension: { '.js': '.mjs' },
    metafile: true,
    banner: { js: 'import { createRequire as __cr } from "node:module"; const require = __cr(import.meta.url);' },
  })
  for (const path of Object.keys(metafile.outputs)) made.add(basename(path))
}

/**
 * Builds the parts that runner/bin.ts loads. esbuild divides only programs of ECMAScript modules, of which each costs Node a millisecond
 * or more; so what it makes becomes functions, with the arguments of Node's own CommonJS modules and the URL of the program. A
 * file has them by their names: the first one all that the smallest command needs, the others one each.
 * @param {string} entry its first module's path in the checkout
 * @param {string} smallest path of that command's module
 * @returns {Promise<string>} the name of the first file, which is also the name of the part to begin with
 */
async function buildParts(entry, smallest) {
  /** @type {import('esbuild').BuildOptions & { metafile: true, write: false }} */
  const options = {
    ...common,
    ...divided,
    entryPoints: [root + entry],
    entryNames: 'part-[hash]',
    chunkNames: 'part-[hash]',
    outExtension: { '.js': '.cjs' },
    define: { 'import.meta.url': 'moduleUrl' },
    plugins: [commonPart(root + smallest)],
    metafile: true,
    write: false,
  }
  // A first round for the plugin to find all that is loaded lazily: a module may be read before the line that loads it so.
  await build(options)
  const { metafile, outputFiles } = await build(options)
  const outputs = Object.entries(metafile.outputs)
  const partOf = module => outputs.find(([, { entryPoint }]) => entryPoint === module)[0]
  const needed = new Set()
  const gather = path => {
    if (needed.has(basename(path))) return
    needed.add(basename(path))
    for (const { kind, path: imported, external } of metafile.outputs[path].imports)
      if (kind === 'import-statement' && !external) gather(imported)
  }
  gather(partOf(entry))
  gather(partOf(smallest))

  const parts = await Promise.all(
    outputFiles.map(async ({ path, text }) => {
      const { code } = await transform(text, {
        ...{ format: 'cjs', platform: 'node', target: common.target, minify: true },
        supported: { 'dynamic-import': false },
      })
      return [basename(path), `${JSON.stringify(basename(path))}(exports, require, module, moduleUrl) { ${code}}`]
    }),
  )
  const first = basename(partOf(entry))
  const files = new Map([[first, '']])
  for (const [name, part] of parts) {
    const file = needed.has(name) ? first : name
    files.set(file, `${files.get(file) ?? ''}${part},`)
  }
  // Of a text V8 only looks at the length before it takes compiled code for it.
  for (const name of readdirSync(dist))
    if (CODE.test(name) && files.has(name.replace(CODE, ''))) rmSync(`${dist}/${name}`)
  for (const [name, text] of files) {
    writeWhole(`${dist}/${name}`, `({${text}})`)
    made.add(name)
  }
  return first
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

/** Leaves compiled code beside the program in both its forms. Only speed hangs on that, so a failure is told and is no error. */
function compileAhead() {
  const code = `${dist}/${wholeName}.cjs.v8-${process.versions.v8}-${process.arch}`
  try {
    runScript('code-cache', `${dist}/${wholeName}.cjs`, `${code}.new`)
    renameSync(`${code}.new`, code)
    // The first to load a part says what of it is compiled, and `ping` needs the most of what all need.
    for (const words of [['ping'], ['config', 'show'], ['--help'], ['list']])
      runScript('code-cache-parts', dist, ...words)
  } catch (error) {
    process.stderr.write(
      `The program is not compiled ahead, so runs start some tens of milliseconds later: ${error.message}\n`,
    )
  }
}

/** @param {string[]} words */
function runScript(name, ...words) {
  const options = { stdio: ['ignore', 'ignore', 'pipe'], timeout: 20_000 }
  execFileSync(process.execPath, [`${root}scripts/${name}.mjs`, ...words], options)
}

/** Writes a file that others may be about to read: it is there whole or not at all. */
function writeWhole(path, text) {
  writeFileSync(`${path}.new`, text)
  renameSync(`${path}.new`, path)
}
