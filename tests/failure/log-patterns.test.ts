import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { loadMatcher } from '../../api/spec/matcher.ts'
import { searchLogs } from '../../runner/failure/log-patterns.ts'
import { makeDirectory } from '../launcher/harness.ts'

test('searchLogs() takes linear time, whatever the pattern and the log', async () => {
  const stdout = join(makeDirectory(), 'job.o')
  // An engine that tries every way to divide the letters would not end.
  writeFileSync(stdout, `${'a'.repeat(60_000)}!`)
  const hasPattern = searchLogs({ stdout, stderr: null }, await loadMatcher())
  expect(hasPattern('^(a+)+$')).toBe(false)
  expect(hasPattern('(a|aa)+b')).toBe(false)
  expect(hasPattern('a!$')).toBe(true)
})

test('searchLogs() finds nothing with a pattern that cannot be used, in a log that is not there, or in no log', async () => {
  const matcher = await loadMatcher()
  expect(searchLogs({ stdout: '/no/such/log', stderr: null }, matcher)('.')).toBe(false)
  expect(searchLogs({ stdout: null, stderr: null }, matcher)('.')).toBe(false)
  const stdout = join(makeDirectory(), 'job.o')
  writeFileSync(stdout, 'text')
  expect(searchLogs({ stdout, stderr: 'stdout' }, matcher)('(')).toBe(false)
})
