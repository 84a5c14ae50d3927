import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'

const SOURCES = fileURLToPath(new URL('../../runner/exec/native', import.meta.url))

const directories: string[] = []
afterEach(() => {
  for (const path of directories.splice(0)) rmSync(path, { recursive: true, force: true })
})

function build(compiler: string, before: (path: string) => void = () => {}): string {
  const path = mkdtempSync(join(tmpdir(), 'headrace-exec-build-'))
  directories.push(path)
  before(path)
  execFileSync('sh', [join(SOURCES, 'build.sh'), path], { env: { ...process.env, HEADRACE_CC: compiler } })
  return path
}

test('build.sh makes the stand-in hr-exec without a compiler, and takes away a gate that no longer fits', () => {
  const path = build('none', directory => writeFileSync(join(directory, 'headrace-gate'), ''))
  expect(readdirSync(path).sort()).toEqual(['hr-exec', 'hr-exec.sh', 'usage.txt'])
  expect(execFileSync(join(path, 'hr-exec'), ['--help'], { encoding: 'utf8' })).toMatch(/^Usage: hr-exec /)
})

test('hr-exec finds its page through a link, as npm makes one', () => {
  const path = build('none')
  execFileSync('ln', ['-s', join(path, 'hr-exec'), join(path, 'linked')])
  expect(execFileSync(join(path, 'linked'), ['-h'], { encoding: 'utf8' })).toMatch(/^Usage: hr-exec /)
})
