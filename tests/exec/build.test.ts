import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import { skipUnless } from '../helpers/skip.ts'

const SOURCES = fileURLToPath(new URL('../../runner/exec/native', import.meta.url))

const directories: string[] = []
afterEach(() => {
  for (const path of directories.splice(0)) rmSync(path, { recursive: true, force: true })
})

function build(compiler: string, before: (path: string) => void = () => {}): string {
  const path = mkdtempSync(join(tmpdir(), 'headrace-exec-build-'))
  directories.push(path)
  before(path)
  rebuild(path, compiler)
  return path
}

const rebuild = (path: string, compiler = 'cc'): void =>
  void execFileSync('sh', [join(SOURCES, 'build.sh'), path], { env: { ...process.env, HEADRACE_CC: compiler } })

test('build.sh makes the stand-in hr-exec without a compiler, and takes away a gate that no longer fits', () => {
  const path = build('none', directory => writeFileSync(join(directory, 'headrace-gate'), ''))
  expect(readdirSync(path).sort()).toEqual(['hr-exec', 'hr-exec.sh', 'usage.txt'])
  expect(execFileSync(join(path, 'hr-exec'), ['--help'], { encoding: 'utf8' })).toMatch(/^Usage: hr-exec /)
})

const compiles = skipUnless(
  spawnSync('cc', ['--version']).status === 0,
  'no C compiler: the native hr-exec of a package',
)

compiles('build.sh makes a native hr-exec anew that is of another machine, and leaves one alone that runs', () => {
  const path = build('cc')
  const made = statSync(join(path, 'hr-exec')).ino
  rebuild(path)
  expect(statSync(join(path, 'hr-exec')).ino).toBe(made)
  // No program of this machine: what starts it is told so.
  writeFileSync(join(path, 'hr-exec'), '\x7fELF')
  rebuild(path)
  expect(execFileSync(join(path, 'hr-exec'), ['--help'], { encoding: 'utf8' })).toMatch(/^Usage: hr-exec /)
  expect(readdirSync(path)).toContain('headrace-gate')
})

compiles('build.sh keeps a native hr-exec that runs where there is no compiler', () => {
  const path = build('cc')
  const made = statSync(join(path, 'hr-exec')).ino
  rebuild(path, 'no-such-compiler')
  expect(statSync(join(path, 'hr-exec')).ino).toBe(made)
})

test('hr-exec finds its page through a link, as npm makes one', () => {
  const path = build('none')
  execFileSync('ln', ['-s', join(path, 'hr-exec'), join(path, 'linked')])
  expect(execFileSync(join(path, 'linked'), ['-h'], { encoding: 'utf8' })).toMatch(/^Usage: hr-exec /)
})
