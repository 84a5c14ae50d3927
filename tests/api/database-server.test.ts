import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { readDatabaseToken } from '../../api/node/database-server.ts'
import { StartError, startServer } from '../../api/node.ts'
import { startSqld } from '../helpers/sqld.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'headrace-token-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const fileWith = (text: string): string => {
  const path = join(folder, 'token')
  writeFileSync(path, text)
  return path
}

it('readDatabaseToken() reads a token and leaves the blanks around it away', () => {
  expect(readDatabaseToken(fileWith(' abc.def\n'))).toBe('abc.def')
})

it('readDatabaseToken() refuses a file that is empty or absent', () => {
  expect(() => readDatabaseToken(fileWith('\n'))).toThrow(StartError)
  expect(() => readDatabaseToken(join(folder, 'none'))).toThrow(StartError)
})

it('startServer() refuses admin SQL over a database server, and has let go of it', async () => {
  const sqld = await startSqld()
  try {
    const options = { dbPath: sqld.url, durability: 'process', log: () => undefined } as const
    const access = { enforce: true, adminUsers: ['ada'], adminSql: true }
    await expect(startServer({ ...options, access })).rejects.toThrow(/admin SQL/)
    const server = await startServer(options)
    expect((await fetch(`${server.url}/v1/ping`)).status).toBe(200)
    await server.close()
  } finally {
    await sqld.stop()
  }
})
