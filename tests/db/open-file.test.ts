import { mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'libsql'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openFile } from '../../db/open-file.ts'
import { all, type Db, run } from '../../db/unit.ts'

let directory: string
let path: string
let db: Db
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'headrace-file-'))
  mkdirSync(join(directory, 'here'))
  path = join(directory, 'here', 'a.db')
  db = openFile(path)
  await db.write(() => run('CREATE TABLE t (n INTEGER)'))
})
afterEach(async () => {
  await db.close()
  rmSync(directory, { recursive: true })
})

const add = (n: number): Promise<void> => db.write(() => run('INSERT INTO t VALUES (?)', n))
const numbers = () => db.read(() => all('SELECT n FROM t ORDER BY n'))

test('write() waits for somebody else who has the file, and reads go on meanwhile', async () => {
  await add(1)
  const other = new Database(path)
  other.exec('BEGIN IMMEDIATE')
  const adding = add(2)
  expect(await numbers()).toEqual([{ n: 1 }])
  setTimeout(() => {
    other.exec('ROLLBACK')
    other.close()
  }, 200)
  await adding
  expect(await numbers()).toEqual([{ n: 1 }, { n: 2 }])
})

test('write() fails alone while the file cannot be opened again, and goes on once it can', async () => {
  await add(1)
  const other = new Database(path)
  other.exec('BEGIN IMMEDIATE')
  renameSync(join(directory, 'here'), join(directory, 'away'))
  await expect(add(2)).rejects.toThrow(/unable to open/i)
  await expect(numbers()).rejects.toThrow(/unable to open/i)
  renameSync(join(directory, 'away'), join(directory, 'here'))
  other.exec('ROLLBACK')
  other.close()
  await add(3)
  expect(await numbers()).toEqual([{ n: 1 }, { n: 3 }])
})

test('close() ends it for good', async () => {
  await db.close()
  await expect(numbers()).rejects.toThrow()
  await expect(add(1)).rejects.toThrow('closed')
})
