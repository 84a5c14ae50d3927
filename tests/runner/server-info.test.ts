import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readServerInfo } from '../../runner/server-info.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'headrace-info-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

/** A process id that no process has: the kernel's largest is 2^22. */
const NOBODY = 2 ** 22 + 1
const SERVER = { url: 'http://127.0.0.1:4000', token: 'secret', dbPath: '/out/headrace.db' }

function readOf(fields: object) {
  const path = join(directory, 'headrace.json')
  writeFileSync(path, JSON.stringify({ ...SERVER, ...fields }))
  return readServerInfo(path)
}

test('readServerInfo() finds a server that lives, and one of another host of which nothing can be told', () => {
  expect(readOf({ pid: process.pid, host: hostname() })).toMatchObject(SERVER)
  expect(readOf({ pid: NOBODY, host: 'elsewhere' })).toMatchObject(SERVER)
  expect(readOf({})).toMatchObject(SERVER)
})

test('readServerInfo() shows nobody the token of a server that was killed', () => {
  expect(readOf({ pid: NOBODY, host: hostname() })).toBeUndefined()
})

test('readServerInfo() makes nothing of a file that is not whole', () => {
  expect(readOf({ url: 'not an address' })).toBeUndefined()
  expect(readOf({ token: 7 })).toBeUndefined()
  expect(readServerInfo(join(directory, 'none.json'))).toBeUndefined()
})
