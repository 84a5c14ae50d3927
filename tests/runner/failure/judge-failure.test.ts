import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { FailurePolicy } from '../../../api/core/failure-evidence.ts'
import type { Attempt } from '../../../runner/attempt.ts'
import { createFailureJudge } from '../../../runner/failure/judge-failure.ts'
import { finalise } from '../../../runner/finalise.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'headrace-judge-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

const attemptWith = (policy: FailurePolicy): Attempt => ({
  jobId: 1,
  workflowId: 1,
  runId: 0,
  attemptId: 1,
  claimToken: 't',
  computeNodeId: 1,
  cwd: directory,
  outputs: [],
  logs: { stdout: join(directory, 'job.o'), stderr: join(directory, 'job.e') },
  deleteLogsOnSuccess: false,
  usePendingFailed: false,
  policy,
})

const END = { startedAtMs: 0, exitedAtMs: 1, userMs: 0, systemMs: 0 }

async function judged(policy: FailurePolicy, end: { code?: number; signal?: number; error?: string }) {
  const judge = createFailureJudge()
  const attempt = attemptWith(policy)
  await judge.prepare([undefined, policy])
  const entry = judge.judge(finalise(attempt, { ...END, ...end }, undefined), attempt)
  return { status: entry.status, result: entry.result.status, failure_class: entry.failure_class }
}

const deterministic = (exit_codes: number[], ...log_patterns: string[]): FailurePolicy => ({
  deterministic: { exit_codes, log_patterns },
})
const FAILED = { status: 'failed', result: 'failed', failure_class: 'exit_code' }

test('judge() knows a deterministic failure by its exit code', async () => {
  expect(await judged(deterministic([2]), { code: 2 })).toEqual({ ...FAILED, failure_class: 'deterministic' })
  expect(await judged(deterministic([2]), { code: 1 })).toEqual(FAILED)
})

test('judge() finds a pattern in either log, by the rules of the selectors, at the end of a huge one', async () => {
  writeFileSync(join(directory, 'job.o'), `${'x'.repeat(2_000_000)}\nsyntax ERROR in line 7\n`)
  const policy = deterministic([], '(?i)syntax error in line \\d+$')
  expect((await judged(policy, { code: 1 })).failure_class).toBe('exit_code')
  expect((await judged(deterministic([], '(?im)syntax error in line \\d+$'), { code: 1 })).failure_class).toBe(
    'deterministic',
  )
})

test('judge() ejects a deterministic failure where that is asked for', async () => {
  expect(await judged({ ...deterministic([2]), eject: true }, { code: 2 })).toEqual({
    status: 'pending_failed',
    result: 'pending_failed',
    failure_class: 'deterministic',
  })
})

test('judge() leaves a success and a failed start alone, whatever the log says', async () => {
  writeFileSync(join(directory, 'job.e'), 'bad')
  expect((await judged(deterministic([0], 'bad'), { code: 0 })).status).toBe('completed')
  expect((await judged(deterministic([127], 'bad'), { error: 'ENOENT' })).failure_class).toBe('spawn_error')
})

test('judge() takes a pattern that cannot be used, and logs that are not there, for no evidence', async () => {
  expect(await judged(deterministic([], '('), { code: 1 })).toEqual(FAILED)
})

test('finalise() calls a start that failed for want of space disk_full', () => {
  const entry = finalise(attemptWith({}), { ...END, error: 'ENOSPC' }, undefined)
  expect(entry.failure_class).toBe('disk_full')
})

test('finalise() of a job that ran out of memory says so with the code that others use', () => {
  const entry = finalise(attemptWith({}), { ...END, signal: 9 }, 'oom')
  expect(entry).toMatchObject({ status: 'failed', failure_class: 'oom', result: { return_code: 137 } })
})
