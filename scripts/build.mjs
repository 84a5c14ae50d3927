// Builds the package: one bundle for both bins (dist/runner.mjs and its lazily loaded parts), and the native helpers
// where a C compiler is found. Without one the shell stand-in takes their place at run time, so that is not an error.
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const dist = `${root}dist`
mkdirSync(dist, { recursive: true })
for (const name of readdirSync(dist)) if (name.endsWith('.mjs')) rmSync(`${dist}/${name}`)

if (existsSync(`${root}runner/cli.ts`)) {
  await build({
    entryPoints: { runner: `${root}runner/cli.ts` },
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
    external: ['libsql', '@libsql/client', 'rregex'],
    logLevel: 'warning',
    banner: { js: 'import { createRequire as __cr } from "node:module"; const require = __cr(import.meta.url);' },
  })
  chmodSync(`${dist}/runner.mjs`, 0o755)
}

const native = `${root}runner/launcher/native/build.sh`
if (existsSync(native)) execFileSync('sh', [native, dist], { stdio: 'inherit' })
