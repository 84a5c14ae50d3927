import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type Asked, decideRetry, type FailedAttempt } from '../../api/core/failure-decision.ts'
import { judgeEvidence, policyOf } from '../../api/core/failure-evidence.ts'
import { parseFailureRules, ruleFor } from '../../api/core/failure-rules.ts'
import type { RetryOptions } from '../../api/core/spec/options.ts'

const GIB = 2 ** 30
const asked: Asked = { memoryBytes: GIB, runtimeSeconds: 60 }
const failed = (fields: Partial<FailedAttempt> = {}): FailedAttempt => ({
  failureClass: 'exit_code',
  returnCode: 1,
  ownAttempt: 1,
  asked,
  ...fields,
})
const retry = (fields: Partial<RetryOptions> = {}): { retry: RetryOptions } => ({
  retry: { max: 2, backoff_seconds: 10, backoff_max_seconds: 600, on: [], ...fields },
})
const rulesOf = (rules: object[]) => parseFailureRules(JSON.stringify(rules))

it('decideRetry() tries a transient failure again until its retries are spent', () => {
  const goesOn = [1, 2, 3].map(ownAttempt => decideRetry(failed({ ownAttempt }), retry(), [], 0.5) !== undefined)
  expect(goesOn).toEqual([true, true, false])
})

it.each(['deterministic', 'canceled', 'node_lost', 'lease_expired', 'allocation_end'])(
  'decideRetry() spends no retry on %s',
  failureClass => {
    expect(
      decideRetry(failed({ failureClass }), retry(), rulesOf([{ match_all_exit_codes: true }]), 0.5),
    ).toBeUndefined()
  },
)

it('decideRetry() lets a rule that names 152 decide about the end of an allocation', () => {
  const end = failed({ failureClass: 'allocation_end', returnCode: 152 })
  expect(decideRetry(end, {}, rulesOf([{ exit_codes: [152] }]), 0.5)).toBeDefined()
})

it('decideRetry() retries only the classes that `on` names', () => {
  const policy = retry({ on: ['oom'] })
  expect(decideRetry(failed(), policy, [], 0.5)).toBeUndefined()
  expect(decideRetry(failed({ failureClass: 'oom' }), policy, [], 0.5)).toBeDefined()
})

it('S23 ruleFor() takes the rule that lists the code before one that takes all', () => {
  const rules = rulesOf([
    { match_all_exit_codes: true, recovery_script: 'all' },
    { exit_codes: [3], recovery_script: 'three' },
    { exit_codes: [3], recovery_script: 'later' },
  ])
  expect(ruleFor(rules, 3)?.recoveryScript).toBe('three')
  expect(ruleFor(rules, 4)?.recoveryScript).toBe('all')
  expect(ruleFor(rules.slice(1), 4)).toBeUndefined()
})

it('decideRetry() counts attempts in all for a handler, whose word goes before that of `retry`', () => {
  const attempts = (most: number) =>
    [1, 2, 3].map(ownAttempt => {
      const rules = rulesOf([{ exit_codes: [1], max_retries: most }])
      return decideRetry(failed({ ownAttempt }), retry({ max: 9 }), rules, 0.5) !== undefined
    })
  expect(attempts(3)).toEqual([true, true, false])
  expect(attempts(1)).toEqual([false, false, false])
})

it('decideRetry() doubles the pause to its most, 20 % more or less, and takes none for a handler alone', () => {
  const pause = (ownAttempt: number, random: number) =>
    decideRetry(failed({ ownAttempt }), retry({ max: 99 }), [], random)!.pauseMs
  expect([1, 2, 3, 7, 8].map(n => pause(n, 0.5))).toEqual([10_000, 20_000, 40_000, 600_000, 600_000])
  expect([pause(1, 0), pause(1, 1)]).toEqual([8_000, 12_000])
  expect(decideRetry(failed(), {}, rulesOf([{ exit_codes: [1] }]), 0.9)!.pauseMs).toBe(0)
})

it('S25 decideRetry() asks for more memory after oom and more time after a time-out, each up to its cap', () => {
  const policy = retry({ memory_factor: 2, runtime_factor: 1.5, max_memory_bytes: 3 * GIB, max_runtime_seconds: 80 })
  const next = (failureClass: string, from: Asked) =>
    decideRetry(failed({ failureClass, asked: from }), policy, [], 0.5)!.next
  expect(next('oom', asked)).toEqual({ ...asked, memoryBytes: 2 * GIB })
  expect(next('oom', { ...asked, memoryBytes: 2 * GIB }).memoryBytes).toBe(3 * GIB)
  expect(next('timeout', { ...asked, timeLimitSeconds: 10 })).toEqual({
    ...asked,
    runtimeSeconds: 80,
    timeLimitSeconds: 15,
  })
  expect(next('exit_code', asked)).toEqual(asked)
})

it('decideRetry() never asks for less, nor for more than the cap unless that was asked before', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0.1, max: 100, noNaN: true }),
      fc.integer({ min: 1, max: 2 ** 40 }),
      fc.integer({ min: 1, max: 2 ** 40 }),
      (factor, memoryBytes, cap) => {
        const policy = retry({ memory_factor: factor, max_memory_bytes: cap })
        const attempt = failed({ failureClass: 'oom', asked: { ...asked, memoryBytes } })
        const next = decideRetry(attempt, policy, [], 0.5)!.next.memoryBytes
        return next >= memoryBytes && next <= Math.max(cap, memoryBytes)
      },
    ),
  )
})

it('S19 judgeEvidence() is deterministic when any evidence is, and transient without evidence', () => {
  const policy = {
    transient: { exit_codes: [75], log_patterns: ['busy'] },
    deterministic: { exit_codes: [2], log_patterns: ['bad input'] },
  }
  const judge = (code: number, ...found: string[]) => judgeEvidence(policy, code, pattern => found.includes(pattern))
  expect(judge(75, 'busy')).toBe('transient')
  expect(judge(75, 'busy', 'bad input')).toBe('deterministic')
  expect(judge(2, 'busy')).toBe('deterministic')
  expect(judge(1)).toBe('transient')
  expect(judgeEvidence({}, 1, () => true)).toBe('transient')
})

it('policyOf() takes each key of the job as a whole before that of its workflow', () => {
  const ofJob = { deterministic: { exit_codes: [], log_patterns: [] } }
  const ofWorkflow = { eject: true, deterministic: { exit_codes: [1], log_patterns: [] } }
  expect(policyOf(ofJob, ofWorkflow)).toMatchObject({ eject: true, deterministic: { exit_codes: [] } })
  expect(policyOf(undefined, undefined)).toEqual({})
})

it.each([
  ['no json', 0],
  ['{"exit_codes":[1]}', 0],
  ['[]', 0],
  ['[null,3,{"exit_codes":152,"max_retries":"x"}]', 3],
])('parseFailureRules() of %s finds %i rules and none that matches', (text, count) => {
  const rules = parseFailureRules(text)
  expect(rules).toHaveLength(count)
  expect(ruleFor(rules, 152)).toBeUndefined()
})
