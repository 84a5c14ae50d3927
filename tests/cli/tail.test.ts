import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { copyFrom, startOfTail } from '../../runner/logs/tail.ts'

let directory: string
let path: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'headrace-tail-'))
  path = join(directory, 'log')
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const read = (position: number): { text: string; end: number } => {
  const chunks: Buffer[] = []
  const end = copyFrom(path, position, bytes => void chunks.push(bytes))
  return { text: Buffer.concat(chunks).toString(), end }
}

test.each([
  ['a\nb\nc\n', 2, 'b\nc\n'],
  ['a\nb\nc', 2, 'b\nc'],
  ['a\nb\n', 5, 'a\nb\n'],
  ['\n\n\n', 2, '\n\n'],
  ['a\nb\n', 0, ''],
  ['', 3, ''],
])('startOfTail() of %j with %d lines begins %j', (text, lines, tail) => {
  writeFileSync(path, text)
  expect(read(startOfTail(path, lines)).text).toBe(tail)
})

test('startOfTail() finds lines that lie far before the end', () => {
  const lines = Array.from({ length: 30_000 }, (_, k) => `line ${k}\n`)
  writeFileSync(path, lines.join(''))
  expect(read(startOfTail(path, 20_000)).text).toBe(lines.slice(-20_000).join(''))
})

test('copyFrom() goes on where it ended, and takes a file that is gone for one without news', () => {
  writeFileSync(path, 'one\n')
  const first = read(0)
  appendFileSync(path, 'two\n')
  expect(first).toEqual({ text: 'one\n', end: 4 })
  expect(read(first.end)).toEqual({ text: 'two\n', end: 8 })
  rmSync(path)
  expect(read(8)).toEqual({ text: '', end: 8 })
})
