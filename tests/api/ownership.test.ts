import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { takeOwnership } from '../../api/node/ownership.ts'
import { StartError } from '../../api/node/start-error.ts'

it('takeOwnership() is free again once the owner was killed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'headrace-owner-'))
  const dbPath = join(folder, 'test.db')
  // The lock itself, held by another process: what takeOwnership does, without TypeScript.
  const libsql = createRequire(import.meta.url).resolve('libsql')
  const holder = spawn(process.execPath, [
    '-e',
    `const lock = new (require(${JSON.stringify(libsql)}))(${JSON.stringify(`${dbPath}.lock`)})
     lock.exec('BEGIN EXCLUSIVE')
     console.log('held')
     setInterval(() => lock.inTransaction, 1000)`,
  ])
  await once(holder.stdout, 'data')
  expect(() => takeOwnership(dbPath)).toThrow(StartError)
  holder.kill('SIGKILL')
  await once(holder, 'exit')

  const ownership = takeOwnership(dbPath)
  ownership.announce('http://127.0.0.1:1')
  expect(JSON.parse(readFileSync(`${dbPath}.owner`, 'utf8'))).toMatchObject({
    pid: process.pid,
    url: 'http://127.0.0.1:1',
  })
  ownership.release()
  rmSync(folder, { recursive: true, force: true })
})
