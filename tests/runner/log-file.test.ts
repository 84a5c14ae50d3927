import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openLogFile } from '../../runner/log-file.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'headrace-log-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const clock = () => Date.parse('2026-01-02T03:04:05Z')

test('openLogFile() writes one line per entry from its level on, with the moment', () => {
  const log = openLogFile(join(directory, 'a.log'), 'warning', clock)
  log.log('info', 'not this')
  log.log('warning', 'first\nsecond')
  log.log('error', 'third')
  expect(readFileSync(join(directory, 'a.log'), 'utf8')).toBe(
    '2026-01-02T03:04:05.000Z WARNING first | second\n2026-01-02T03:04:05.000Z ERROR   third\n',
  )
})

test('openLogFile() keeps four files of 10 MiB at most, the newest in front', () => {
  const log = openLogFile(join(directory, 'a.log'), 'info', clock)
  const text = 'x'.repeat(6 * 2 ** 20)
  for (let n = 0; n < 9; n++) log.log('info', `${n} ${text}`)
  expect(readdirSync(directory).sort()).toEqual(['a.log', 'a.log.1', 'a.log.2', 'a.log.3'])
  const numbers = readdirSync(directory).map(name => readFileSync(join(directory, name), 'utf8').slice(33, 34))
  expect(numbers.sort()).toEqual(['5', '6', '7', '8'])
})

test('openLogFile() loses its lines where it cannot write, and throws nothing', () => {
  const log = openLogFile(join(directory, 'missing', 'a.log'), 'info', clock)
  log.log('error', 'nobody reads this')
  expect(readdirSync(directory)).toEqual([])
})
