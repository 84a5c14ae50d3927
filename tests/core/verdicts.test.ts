import { expect, it } from 'vitest'
import { JOB_STATUSES } from '../../api/core/status.ts'
import { judge, type Report, type Situation, type StoredJob } from '../../api/core/verdicts.ts'

const NOW = 1_000
const at: Situation = { workflowId: 1, runId: 0, now: NOW, force: false, nodeExists: id => id === 5 }
const job = (fields: Partial<StoredJob> = {}): StoredJob => ({
  workflowId: 1,
  status: 'running',
  attemptId: 1,
  claimToken: 'current',
  leaseExpiresAt: null,
  isFull: false,
  stored: [],
  lost: undefined,
  ...fields,
})
const report = (fields: Partial<Report> = {}, result: Partial<Report['result']> = {}): Report => ({
  jobId: 7,
  status: 'completed',
  runId: 0,
  ...fields,
  result: {
    job_id: 7,
    workflow_id: 1,
    run_id: fields.runId ?? 0,
    compute_node_id: 5,
    return_code: 0,
    status: fields.status ?? 'completed',
    ...result,
  },
})
const code = (told: Report, stored: StoredJob | undefined, situation: Partial<Situation> = {}) =>
  judge(told, stored, { ...at, ...situation }).code

it.each([
  ['never leased', null, 'accepted'],
  ['lapsed', NOW, 'accepted'],
  ['live', NOW + 1, 'lost_claim'],
] as const)(
  'judge() of a job whose lease is %s: without a token as told, with a wrong one lost_claim',
  (_, leaseExpiresAt, without) => {
    expect(code(report(), job({ leaseExpiresAt }))).toBe(without)
    expect(code(report({ claimToken: 'old' }), job({ leaseExpiresAt }))).toBe('lost_claim')
    expect(code(report({ claimToken: 'current' }), job({ leaseExpiresAt }))).toBe('accepted')
    expect(code(report(), job({ leaseExpiresAt }), { force: true })).toBe('accepted')
  },
)

const lost = { attemptId: 1, runId: 0 }
const LATE = { claimToken: 'old' }

it.each(JOB_STATUSES)('judge() salvages the success of a lost attempt only while its job waits: %s', status => {
  const claimToken = status === 'pending' || status === 'running' ? 'current' : null
  const verdict = code(report(LATE), job({ status, claimToken, attemptId: 2, lost }))
  const final = ['completed', 'failed', 'canceled', 'terminated'].includes(status)
  const expected = final
    ? 'already_final'
    : status === 'disabled'
      ? 'illegal_status'
      : status === 'ready'
        ? 'salvaged'
        : 'lost_claim'
  expect(verdict).toBe(expected)
})

it('judge() does not salvage a failure, nor an attempt of an earlier run', () => {
  const waiting = { status: 'ready', claimToken: null, attemptId: 2 } as const
  expect(code(report({ ...LATE, status: 'failed' }), job({ ...waiting, lost }))).toBe('lost_claim')
  expect(code(report(LATE), job({ ...waiting, lost: { attemptId: 1, runId: 3 } }))).toBe('lost_claim')
})

it.each([
  ['wrong_workflow', report(), job({ workflowId: 2 })],
  ['illegal_status', report({ status: 'ready' }), job({ status: 'completed' })],
  ['mismatch', report({}, { job_id: 8 }), job()],
  ['mismatch', report({}, { workflow_id: 2 }), job()],
  ['mismatch', report({}, { status: 'failed' }), job()],
  ['mismatch', report({}, { run_id: 1 }), job()],
  ['stale_run', report({ runId: 1 }), job()],
  ['illegal_status', report(), job({ status: 'disabled' })],
  ['mismatch', report({}, { compute_node_id: 6 }), job()],
  ['mismatch', report({}, { attempt_id: 2 }), job()],
] as const)('judge() answers %s', (expected, told, stored) => {
  expect(code(told, stored)).toBe(expected)
})

it('judge() of an unknown job is not_found, and no message repeats a word that came from outside', () => {
  expect(code(report(), undefined)).toBe('not_found')
  expect(judge(report({ status: 'a word' }), job(), at).message).not.toContain('a word')
})

it('judge() knows a stored outcome again by run, attempt, status and code', () => {
  const stored = [{ runId: 0, attemptId: 1, status: 'completed', returnCode: 0 }] as const
  const final = job({ status: 'completed', claimToken: null, stored })
  expect(code(report(), final)).toBe('duplicate')
  expect(code(report({}, { attempt_id: 2 }), final)).toBe('already_final')
  expect(code(report({}, { return_code: 1 }), final)).toBe('already_final')
  expect(code(report({ status: 'failed' }), final)).toBe('already_final')
  // A result that was posted before the attempt ended does not make its end a duplicate.
  expect(code(report(), job({ stored }))).toBe('accepted')
})

it('judge() takes no report of a job whose results can be numbered no more, but knows one that it has', () => {
  expect(judge(report(), job({ isFull: true }), at).message).toContain('as many results')
  const stored = [{ runId: 0, attemptId: 1, status: 'completed' as const, returnCode: 0 }]
  expect(code(report(), job({ isFull: true, status: 'completed', stored }))).toBe('duplicate')
})
