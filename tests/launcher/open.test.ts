import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { expect, test } from 'vitest'
import { hasNative } from '../helpers/launcher-kinds.ts'
import { skipUnless } from '../helpers/skip.ts'
import { launcherSources, makeDirectory } from './harness.ts'

const withCompiler = skipUnless(hasNative, 'no C compiler: building the native launcher')

/** A package of its own: dist/ with a bundle that opens a launcher and says of which kind it is, and the native sources. */
async function makePackage() {
  const directory = makeDirectory()
  const dist = join(directory, 'dist')
  cpSync(join(launcherSources, 'native'), join(directory, 'runner/launcher/native'), { recursive: true })
  const contents = `
    import { openLauncher } from './open.ts'
    const quiet = { onStarted() {}, onExited() {}, onLost() {} }
    const launcher = await openLauncher({ journal: process.argv[2], kind: process.argv[3], slots: 1, ...quiet })
    console.log(launcher.kind)
    await launcher.close()`
  const outfile = join(dist, 'kind.mjs')
  await build({
    stdin: { contents, resolveDir: launcherSources, loader: 'ts' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile,
  })
  const cache = join(directory, 'cache')
  const open = (env: Record<string, string>, kind = 'auto') =>
    spawnSync(process.execPath, [outfile, join(directory, 'journal'), kind], {
      encoding: 'utf8',
      env: { PATH: process.env.PATH, XDG_CACHE_HOME: cache, ...env },
    })
  return { directory, dist, cache, open }
}

withCompiler('openLauncher() takes the native launcher that lies beside the bundle', async () => {
  const { directory, dist, cache, open } = await makePackage()
  execFileSync('sh', [join(directory, 'runner/launcher/native/build.sh'), dist])
  expect(open({})).toMatchObject({ stdout: 'native\n', stderr: '' })
  expect(existsSync(cache)).toBe(false)
})

withCompiler('openLauncher() builds the native launcher once into the cache', async () => {
  const { cache, open } = await makePackage()
  expect(open({})).toMatchObject({ stdout: 'native\n', stderr: '' })
  const [name = ''] = readdirSync(join(cache, 'headrace'))
  const binary = join(cache, 'headrace', name, 'headrace-launcher')
  const { ino } = statSync(binary)
  expect(open({})).toMatchObject({ stdout: 'native\n' })
  expect(statSync(binary).ino).toBe(ino)
  expect(existsSync(join(cache, 'headrace', name, 'lock'))).toBe(false)
})

test('openLauncher() takes the stand-in where there is no compiler, and refuses when the native one was asked for', async () => {
  const { open } = await makePackage()
  expect(open({ HEADRACE_CC: 'none' })).toMatchObject({ stdout: 'shell\n', stderr: '' })
  expect(open({ HEADRACE_CC: 'none' }, 'native').stderr).toContain('Cannot open the native launcher as it is not built')
})

withCompiler('openLauncher() says why a build failed and takes the stand-in', async () => {
  const { directory, open } = await makePackage()
  writeFileSync(join(directory, 'runner/launcher/native/bytes.c'), 'this is no C\n')
  const { stdout, stderr } = open({})
  expect(stdout).toBe('shell\n')
  expect(stderr).toContain('headrace: Cannot build headrace-launcher')
})

withCompiler('openLauncher() takes the stand-in where the built launcher does not run', async () => {
  const { dist, open } = await makePackage()
  writeFileSync(join(dist, 'headrace-launcher'), '#!/bin/sh\necho built for another machine >&2\nexit 1\n', {
    mode: 0o755,
  })
  const { stdout, stderr } = open({})
  expect(stdout).toBe('shell\n')
  expect(stderr).toContain(
    'Cannot start the native launcher: built for another machine; the shell stand-in starts the jobs',
  )
})

withCompiler('openLauncher() rejects when the journal cannot be written, whatever the kind', async () => {
  const { directory, open } = await makePackage()
  mkdirSync(join(directory, 'journal'))
  for (const kind of ['native', 'shell']) expect(open({}, kind)).toMatchObject({ status: 1, stdout: '' })
  expect(open({}, 'native').stderr).toContain('Cannot start the native launcher')
})

withCompiler('openLauncher() obeys HEADRACE_LAUNCHER before its options', async () => {
  const { open } = await makePackage()
  expect(open({ HEADRACE_LAUNCHER: 'shell' }, 'native').stdout).toBe('shell\n')
  expect(open({ HEADRACE_LAUNCHER: 'fast' }).stderr).toContain(
    'HEADRACE_LAUNCHER must be native or shell: current value is fast',
  )
})

withCompiler('build.sh says in one line that there is no compiler, and succeeds', () => {
  const directory = makeDirectory()
  mkdirSync(join(directory, 'out'))
  const script = join(launcherSources, 'native/build.sh')
  const { status, stderr } = spawnSync('sh', [script, join(directory, 'out')], {
    encoding: 'utf8',
    env: { ...process.env, HEADRACE_CC: 'none' },
  })
  expect({ status, stderr }).toEqual({
    status: 0,
    stderr: 'headrace: no C compiler, the shell stand-in starts the jobs\n',
  })
})
