import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { makeDirectory } from '../../runner/make-directory.ts'
import { nearPath } from '../../runner/near-path.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'headrace-directory-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

const modeOf = (path: string) => statSync(path).mode & 0o777

describe('makeDirectory()', () => {
  test('makes a directory and those above it for its owner alone', () => {
    makeDirectory(join(directory, 'a/b/c'))
    expect(['a', 'a/b', 'a/b/c'].map(path => modeOf(join(directory, path)))).toEqual([0o700, 0o700, 0o700])
  })

  test('leaves a directory that exists as it is', () => {
    mkdirSync(join(directory, 'a'), { mode: 0o755 })
    makeDirectory(join(directory, 'a'))
    expect(modeOf(join(directory, 'a'))).toBe(0o755)
  })

  test('says that a file is in the way', () => {
    writeFileSync(join(directory, 'a'), '')
    for (const path of ['a', 'a/b']) {
      expect(() => makeDirectory(join(directory, path))).toThrow(
        `Cannot write in ${join(directory, path)}: a file is in the way. Name another directory with --output-dir`,
      )
    }
  })

  test.runIf(process.platform === 'linux')(
    'returns where the system refuses a name although the directory above is there',
    () => {
      expect(() => makeDirectory('/proc/headrace/output')).toThrow('no directory can be made there')
    },
  )
})

test('nearPath() is relative as long as that does not climb', () => {
  expect(nearPath('/home/me/out/a.log', '/home/me')).toBe('out/a.log')
  expect(nearPath('/tmp/a.log', '/home/me')).toBe('/tmp/a.log')
  expect(nearPath('/home/me', '/home/me')).toBe('/home/me')
})
