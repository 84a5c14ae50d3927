import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Attempt } from '../../runner/attempt.ts'
import { finalise, makeLogDirectory } from '../../runner/finalise.ts'

let cwd: string
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'headrace-finalise-'))
})
afterEach(() => rmSync(cwd, { recursive: true }))

const attemptWith = (fields: Partial<Attempt>): Attempt => ({
  jobId: 2,
  workflowId: 1,
  runId: 3,
  attemptId: 4,
  claimToken: 't',
  computeNodeId: 5,
  cwd,
  outputs: [],
  logs: { stdout: null, stderr: null },
  deleteLogsOnSuccess: false,
  usePendingFailed: false,
  ...fields,
})
const endWith = (code: number) => ({ code, startedAtMs: 0, exitedAtMs: 1, userMs: 0, systemMs: 0 })

test('S20 finalise() fails a job that promised a file and did not make it', () => {
  writeFileSync(join(cwd, 'made'), '')
  const outputs = [
    { id: 1, path: 'made' },
    { id: 2, path: 'missing' },
  ]
  const entry = finalise(attemptWith({ outputs }), endWith(0), undefined)
  expect(entry).toMatchObject({ status: 'failed', failure_class: 'no_output', result: { return_code: 1 } })
})

test('finalise() tells the modification times of outputs, relative paths counting from where the job ran', () => {
  mkdirSync(join(cwd, 'data'))
  for (const name of ['data/a', 'b']) {
    writeFileSync(join(cwd, name), '')
    utimesSync(join(cwd, name), 1_700_000_000.25, 1_700_000_000.25)
  }
  const outputs = [
    { id: 1, path: 'data/a' },
    { id: 2, path: join(cwd, 'b') },
  ]
  expect(finalise(attemptWith({ outputs }), endWith(0), undefined).file_times).toEqual([
    { file_id: 1, st_mtime: 1_700_000_000.25 },
    { file_id: 2, st_mtime: 1_700_000_000.25 },
  ])
})

test('finalise() deletes logs of a success where that is asked for, and never those of a failure', () => {
  const logs = { stdout: join(cwd, 'x.o'), stderr: join(cwd, 'x.e') }
  for (const path of Object.values(logs)) writeFileSync(path, 'text')
  finalise(attemptWith({ logs, deleteLogsOnSuccess: true }), endWith(1), undefined)
  expect(existsSync(logs.stdout)).toBe(true)
  finalise(attemptWith({ logs }), endWith(0), undefined)
  expect(existsSync(logs.stdout)).toBe(true)
  finalise(attemptWith({ logs, deleteLogsOnSuccess: true }), endWith(0), undefined)
  expect([existsSync(logs.stdout), existsSync(logs.stderr)]).toEqual([false, false])
})

test('makeLogDirectory() makes the directory and is content when it is there', () => {
  makeLogDirectory(cwd)
  makeLogDirectory(cwd)
  expect(existsSync(join(cwd, 'job_stdio'))).toBe(true)
})
