import { describe, expect, test } from 'vitest'
import { type Attempt, completionOf, outcomeOf, type ProcessEnd } from '../../runner/attempt.ts'

const end = (fields: Partial<ProcessEnd>): ProcessEnd => ({
  startedAtMs: 1_000,
  exitedAtMs: 61_000,
  userMs: 250,
  systemMs: 50,
  ...fields,
})
const ALL_THERE = { fileTimes: [], missing: [] }

describe('outcomeOf()', () => {
  test.each([
    [{ code: 0 }, undefined, 'completed', undefined, 0],
    [{ code: 7 }, undefined, 'failed', 'exit_code', 7],
    [{ signal: 9 }, undefined, 'failed', 'signal', 137],
    [{ error: 'ENOENT' }, undefined, 'failed', 'spawn_error', 127],
    [{ error: 'EACCES' }, undefined, 'failed', 'spawn_error', 126],
    [{ signal: 15 }, 'time_limit', 'terminated', 'timeout', 152],
    [{ code: 3 }, 'time_limit', 'terminated', 'timeout', 152],
    [{ signal: 15 }, 'stopped', 'terminated', 'allocation_end', 152],
    [{ signal: 15 }, 'canceled', 'canceled', 'canceled', 143],
    [{ code: 0 }, 'time_limit', 'completed', undefined, 0],
    [{ code: 0 }, 'stopped', 'completed', undefined, 0],
  ] as const)('of %j ended for %s is %s, %s, %i', (how, reason, status, failureClass, returnCode) => {
    const outcome = outcomeOf(end(how), ALL_THERE, reason, { usePendingFailed: false })
    expect(outcome).toEqual({ status, failure_class: failureClass, returnCode })
  })

  test('S20 of exit 0 without a declared output is a failure of class no_output', () => {
    const outcome = outcomeOf(end({ code: 0 }), { fileTimes: [], missing: ['a.txt'] }, undefined, {
      usePendingFailed: false,
    })
    expect(outcome).toEqual({ status: 'failed', failure_class: 'no_output', returnCode: 1 })
  })

  test.each([{ code: 7 }, { signal: 9 }, { error: 'ENOENT' }])(
    'of %j waits for its owner where that is asked for',
    how => {
      expect(outcomeOf(end(how), ALL_THERE, undefined, { usePendingFailed: true }).status).toBe('pending_failed')
    },
  )
})

describe('completionOf()', () => {
  const attempt: Attempt = {
    jobId: 2,
    workflowId: 1,
    runId: 3,
    attemptId: 4,
    claimToken: 't',
    computeNodeId: 5,
    cwd: '/',
    outputs: [],
    logs: { stdout: null, stderr: null },
    deleteLogsOnSuccess: false,
    usePendingFailed: false,
  }

  test('carries token, times and usage in the units of the wire', () => {
    const entry = completionOf(attempt, end({ code: 0, peakMemoryBytes: 4096 }), ALL_THERE, undefined)
    expect(entry).toMatchObject({
      job_id: 2,
      run_id: 3,
      claim_token: 't',
      status: 'completed',
      result: { attempt_id: 4, compute_node_id: 5, return_code: 0, exec_time_minutes: 1, status: 'completed' },
      usage: { user_seconds: 0.25, system_seconds: 0.05, peak_memory_bytes: 4096 },
      phase_times: { launched: 1_000, exited: 61_000 },
    })
    expect(entry).not.toHaveProperty('failure_class')
    expect(entry).not.toHaveProperty('file_times')
  })

  test('names no launch of what could not be started', () => {
    const entry = completionOf(attempt, end({ error: 'ENOENT' }), ALL_THERE, undefined)
    expect(entry.phase_times).toEqual({ exited: 61_000 })
  })
})
