// Builds the package: one bundle for both bins (dist/runner.mjs and its lazily loaded parts) and for the server that Torc's tools start
// (dist/torc-server.mjs), and the native helpers where a C compiler is found. Without one the shell stand-in takes their place at run
// time, so that is not an error.
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const dist = `${root}dist`
/** Parts of former builds go after this long: a program that runs since before may still load them. */
const STALE_MS = 3_600_000

mkdirSync(dist, { recursive: true })
const { metafile } = await build({
  entryPoints: { runner: `${root}runner/cli.ts`, 'torc-server': `${root}api/node/torc-server/main.ts` },
  outdir: dist,
  outExtension: { '.js': '.mjs' },
  chunkNames: 'chunk-[hash]',
  bundle: true,
  splitting: true,
  minify: true,
  keepNames: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  external: ['libsql', 'rregex'],
  logLevel: 'warning',
  metafile: true,
  banner: { js: 'import { createRequire as __cr } from "node:module"; const require = __cr(import.meta.url);' },
})
chmodSync(`${dist}/runner.mjs`, 0o755)

const made = new Set(Object.keys(metafile.outputs).map(path => basename(path)))
for (const name of readdirSync(dist)) {
  const path = `${dist}/${name}`
  if (name.endsWith('.mjs') && !made.has(name) && Date.now() - statSync(path).mtimeMs > STALE_MS)
    rmSync(path, { force: true })
}

for (const room of ['launcher', 'exec'])
  execFileSync('sh', [`${root}runner/${room}/native/build.sh`, dist], { stdio: 'inherit' })
execFileSync(process.execPath, [`${root}scripts/spec-schema.mjs`, `${dist}/workflow.schema.json`], { stdio: 'inherit' })
