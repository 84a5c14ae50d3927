import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { findShell, shellArgv } from '../../runner/job-shell.ts'

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'headrace-shell-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}

function folderWith(name: string, mode: number): string {
  const folder = makeFolder()
  writeFileSync(join(folder, name), '#!/bin/sh\n')
  chmodSync(join(folder, name), mode)
  return folder
}

describe('findShell()', () => {
  test('takes the first bash along the PATH that can be started', () => {
    const [unreadable, first, second] = [
      folderWith('bash', 0o644),
      folderWith('bash', 0o755),
      folderWith('bash', 0o755),
    ]
    const nested = makeFolder()
    mkdirSync(join(nested, 'bash'))
    expect(findShell(`/nowhere:${nested}:${unreadable}:${first}:${second}`)).toBe(join(first, 'bash'))
  })

  test.each(['', '/nowhere', 'bin:/usr/bin'])('leaves the search to the launcher along "%s"', path => {
    expect(findShell(path)).toBe('bash')
  })
})

describe('shellArgv()', () => {
  test('has the job see what `bash -c` alone would show', () => {
    const text = 'echo "$0 $# $*"; no-such-program 2>&1; true'
    const [program, ...words] = shellArgv(text, undefined)
    expect(execFileSync(program, words, { encoding: 'utf8' })).toBe(
      execFileSync('bash', ['-c', text], { encoding: 'utf8' }),
    )
  })

  test.each(['/own/bin', null])('leaves the search to the launcher for a job with the PATH %s', path => {
    expect(shellArgv('true', path)).toEqual(['bash', '-c', 'true'])
  })
})
