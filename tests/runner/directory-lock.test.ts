import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { lockDirectory } from '../../runner/directory-lock.ts'

test('lockDirectory() gives a directory to one at a time, whatever it is called', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'headrace-lock-'))
  const other = mkdtempSync(join(tmpdir(), 'headrace-lock-'))
  try {
    symlinkSync(directory, join(other, 'link'))
    const lock = await lockDirectory(directory)
    expect(lock).toBeDefined()
    expect(await lockDirectory(join(other, 'link'))).toBeUndefined()
    const second = await lockDirectory(other)
    expect(second).toBeDefined()
    second!.release()
    lock!.release()
    const again = await lockDirectory(directory)
    expect(again).toBeDefined()
    again!.release()
  } finally {
    for (const path of [directory, other]) rmSync(path, { recursive: true })
  }
})
