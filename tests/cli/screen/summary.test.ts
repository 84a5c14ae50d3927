import { describe, expect, test } from 'vitest'
import { createPaint } from '../../../runner/screen/color.ts'
import { allCompleted } from '../../../runner/screen/counts.ts'
import { readCounts } from '../../../runner/screen/status.ts'
import { renderSummary } from '../../../runner/screen/summary.ts'
import { summaryDocument } from '../../../runner/screen/summary-document.ts'
import type { RunSummary } from '../../../runner/screen/types.ts'
import { summaryOf } from './snapshot.ts'

const render = (changes: Partial<RunSummary> = {}) =>
  renderSummary(summaryOf(changes), createPaint(false), path => path.replace('/home/me/', ''))
const FAILED = {
  jobId: 7,
  name: 'fit',
  status: 'failed' as const,
  returnCode: 3,
  failureClass: 'exit_code',
  logPaths: ['out/job_stdio/job_wf12_j7_r1_a1.e'],
  tail: ['Traceback', 'ValueError: \u001b[1mno'],
}

describe('renderSummary()', () => {
  test('is two lines when all is well', () => {
    expect(render()).toBe(
      'Workflow 12 (diamond), run 1: all 15 jobs completed in 2.1 s\nLogs and database: headrace_output\n',
    )
  })

  test('names the log file of a failed job and shows its last lines', () => {
    expect(render({ counts: readCounts({ completed: 13, failed: 1, canceled: 1 }), failed: [FAILED] })).toBe(`\
Workflow 12 (diamond), run 1: 13 of 15 jobs completed in 2.1 s
completed 13  failed 1  canceled 1

fit (job 7) failed with return code 3 (exit_code)
  out/job_stdio/job_wf12_j7_r1_a1.e
  | Traceback
  | ValueError: ?[1mno
--retry-failed runs the failed jobs and what hangs below them again.
Logs and database: headrace_output
`)
  })

  test('says how many more failed than it shows', () => {
    expect(render({ counts: readCounts({ failed: 12 }), failed: [FAILED] })).toContain(
      '… and 11 more: runner results 12',
    )
  })

  test.each([
    ['interrupt', 'Interrupted with 3 jobs left: the same command goes on.'],
    ['time_limit', 'The time limit ended the run with 3 jobs left'],
    ['canceled', 'The workflow was canceled.'],
    ['no_room', '3 jobs left, and no node can run what is ready'],
    ['other_runners', '3 jobs left with other runners.'],
  ] as const)('says what stopped the run: %s', (stoppedBy, text) => {
    expect(render({ counts: readCounts({ completed: 1, ready: 3 }), stoppedBy })).toContain(text)
  })

  test('tells whose decision is waited for, and does not blame the nodes for it', () => {
    const text = render({ counts: readCounts({ pending_failed: 1, blocked: 2 }), stoppedBy: 'no_room' })
    expect(text).toContain('1 failed job left for you to decide: runner jobs put-back JOB, or runner jobs fail JOB.')
    expect(text).not.toContain('no node')
  })

  test('does not show as failed what its own stop has ended, and says how to run that again', () => {
    const ended = { ...FAILED, status: 'terminated' as const, returnCode: 152, failureClass: 'allocation_end' }
    const text = render({ counts: readCounts({ terminated: 1, ready: 1 }), failed: [ended], stoppedBy: 'interrupt' })
    expect(text).not.toContain('fit (job 7)')
    expect(text).toContain('--retry-failed runs the failed and ended jobs and what hangs below them again.')
    expect(render({ counts: readCounts({ terminated: 1 }), failed: [ended] })).toContain('fit (job 7)')
  })

  test('says that a finished workflow is not run again', () => {
    expect(render({ alreadyFinished: true })).toContain('finished before, nothing to run')
  })

  test('names jobs that cannot run here', () => {
    expect(render({ unrunnable: [{ jobId: 2, name: 'big', reason: 'needs 64 CPUs' }] })).toContain(
      'big (job 2) cannot run here: needs 64 CPUs',
    )
  })
})

test('summaryDocument() has the ids, the counts by status and the time', () => {
  const document = summaryDocument(summaryOf({ failed: [FAILED] }))
  expect(document).toMatchObject({
    workflow_id: 12,
    run_id: 1,
    counts: { completed: 15, failed: 0 },
    wall_seconds: 2.14,
  })
  expect(document.failed[0]).toEqual({
    job_id: 7,
    name: 'fit',
    status: 'failed',
    return_code: 3,
    failure_class: 'exit_code',
    log_paths: FAILED.logPaths,
  })
})

test.each([
  [{ completed: 3 }, true],
  [{ completed: 3, disabled: 1 }, true],
  [{}, true],
  [{ completed: 3, failed: 1 }, false],
  [{ completed: 3, canceled: 1 }, false],
  [{ completed: 3, ready: 1 }, false],
])('allCompleted(%j) is %s', (counts: Record<string, number>, expected) => {
  expect(allCompleted(readCounts(counts))).toBe(expected)
})
