import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseDuration } from '../../../api/core/duration.ts'
import { parseMemory } from '../../../api/core/memory.ts'
import {
  causeOf,
  type FailedJob,
  type Policy,
  planRecovery,
  type Requirements,
} from '../../../runner/recovery/decide.ts'

const GIB = 2 ** 30
const POLICY: Policy = {
  memoryMultiplier: 1.5,
  runtimeMultiplier: 2,
  maxMemoryBytes: 8 * GIB,
  maxRuntimeSeconds: 7_200,
  maxFailures: 3,
}
const SMALL: Requirements = { id: 1, name: 'small', memory: '4g', runtime: 'PT30M' }

const failed = (fields: Partial<FailedJob> = {}): FailedJob => ({
  id: 1,
  name: 'a',
  requirementsId: 1,
  failures: 1,
  ...fields,
})

const planOne = (job: FailedJob, set = SMALL, policy = POLICY) => {
  const { jobs, changes } = planRecovery([job], [set], new Map([[set.id, 1]]), policy)
  return { ...jobs[0]!, change: changes[0] }
}

describe('causeOf()', () => {
  test.each([
    [{ failureClass: 'oom', returnCode: 1 }, 'memory'],
    [{ failureClass: 'signal', returnCode: 137 }, 'memory'],
    [{ returnCode: 137 }, 'memory'],
    [{ failureClass: 'timeout', returnCode: 152 }, 'time'],
    [{ returnCode: 152 }, 'time'],
    [{ failureClass: 'allocation_end', returnCode: 152 }, 'node'],
    [{ failureClass: 'node_lost' }, 'node'],
    [{ failureClass: 'lease_expired' }, 'node'],
    [{ failureClass: 'deterministic', returnCode: 2 }, 'deterministic'],
    [{ failureClass: 'exit_code', returnCode: 2 }, 'other'],
    [{}, 'other'],
  ])('%j is of %s', (fields, cause) => {
    expect(causeOf(failed(fields))).toBe(cause)
  })
})

describe('planRecovery()', () => {
  test('raises memory after running out of it', () => {
    const plan = planOne(failed({ failureClass: 'oom' }))
    expect(plan).toMatchObject({ action: 'rerun', change: { name: 'small', memory: { from: '4g', to: '6g' } } })
    expect(plan.change!.runtime).toBeUndefined()
    expect(plan.reason).toBe('it ran out of memory: small goes from 4g to 6g')
  })

  test('counts from what was used when that is more than what was required', () => {
    const plan = planOne(failed({ failureClass: 'oom', peakMemoryBytes: 5 * GIB }))
    expect(plan.change!.memory!.to).toBe('7680m')
  })

  test('stops at the cap, and leaves a job alone that stood there', () => {
    expect(planOne(failed({ failureClass: 'oom' }), { ...SMALL, memory: '6g' }).change!.memory!.to).toBe('8g')
    expect(planOne(failed({ failureClass: 'oom' }), { ...SMALL, memory: '8g' })).toMatchObject({
      action: 'leave',
      change: undefined,
      reason: 'it ran out of memory with 8g, and 8g is the cap (--max-memory)',
    })
  })

  test('raises the time after a time-out, up to its cap', () => {
    const job = failed({ failureClass: 'timeout', returnCode: 152, seconds: 1_800 })
    expect(planOne(job).change!.runtime).toEqual({ from: 'PT30M', to: 'PT1H' })
    expect(planOne(job, { ...SMALL, runtime: 'PT90M' }).change!.runtime!.to).toBe('PT2H')
    expect(planOne(job, { ...SMALL, runtime: 'PT2H' })).toMatchObject({ action: 'leave', change: undefined })
  })

  test("raises a job's own time limit, which ends it whatever its requirements say, up to the cap", () => {
    const job = failed({ failureClass: 'timeout', timeLimitSeconds: 600 })
    expect(planOne(job)).toMatchObject({ action: 'rerun', time_limit_seconds: 1_200, change: undefined })
    expect(planOne({ ...job, timeLimitSeconds: 7_200 })).toMatchObject({
      action: 'leave',
      reason: 'it ran out of its own time limit of 7200 s, which is at its cap (--max-runtime)',
    })
  })

  test('raises a set once for all that ran out of it, by the neediest, and tells each of them so', () => {
    const jobs = [
      failed({ id: 1, failureClass: 'oom', peakMemoryBytes: 4.5 * GIB }),
      failed({ id: 2, failureClass: 'oom', peakMemoryBytes: 5 * GIB }),
      failed({ id: 3, failureClass: 'oom' }),
    ]
    const plan = planRecovery(jobs, [SMALL], new Map([[1, 3]]), POLICY)
    expect(plan.changes).toEqual([
      {
        resource_requirements_id: 1,
        name: 'small',
        memory: { from: '4g', to: '7680m' },
        job_ids: [1, 2, 3],
        other_jobs: 0,
      },
    ])
    expect(new Set(plan.jobs.map(({ reason }) => reason))).toEqual(
      new Set(['it ran out of memory: small goes from 4g to 7680m']),
    )
  })

  test('raises it for nobody else: jobs that failed otherwise, and those that did not fail, are counted as others', () => {
    const jobs = [failed({ id: 1, failureClass: 'oom' }), failed({ id: 2, failureClass: 'exit_code', returnCode: 2 })]
    const plan = planRecovery(jobs, [SMALL], new Map([[1, 5]]), POLICY)
    expect(plan.changes).toMatchObject([{ job_ids: [1], other_jobs: 4 }])
    expect(plan.jobs[0]!.reason).toBe('it ran out of memory: it goes from 4g to 6g')
  })

  test('leaves a job alone that has failed too often, whatever it failed of', () => {
    expect(planOne(failed({ failures: 3, failureClass: 'oom' }))).toMatchObject({
      action: 'leave',
      change: undefined,
      reason: 'it has failed 3 times, and 3 is the most (--max-failures)',
    })
    expect(planOne(failed({ failures: 2 })).action).toBe('rerun')
  })

  test('never goes beyond a cap nor below what is required, and says why for every job', () => {
    const job = fc.record({
      id: fc.nat(),
      name: fc.string(),
      requirementsId: fc.constantFrom(1, 2),
      failures: fc.integer({ min: 0, max: 4 }),
      failureClass: fc.constantFrom('oom', 'timeout', 'exit_code', undefined),
      returnCode: fc.constantFrom(1, 137, 152),
      peakMemoryBytes: fc.option(fc.integer({ min: 1, max: 2 ** 40 }), { nil: undefined }),
      seconds: fc.option(fc.integer({ min: 0, max: 10 ** 6 }), { nil: undefined }),
    })
    const sets = [SMALL, { id: 2, name: 'large', memory: '16g', runtime: 'PT3H' }]
    fc.assert(
      fc.property(fc.array(job), jobs => {
        const plan = planRecovery(jobs, sets, new Map(), POLICY)
        expect(plan.jobs).toHaveLength(jobs.length)
        for (const { reason } of plan.jobs) expect(reason).not.toBe('')
        for (const { memory, runtime } of plan.changes) {
          if (memory) {
            expect(parseMemory(memory.to)).toBeLessThanOrEqual(POLICY.maxMemoryBytes)
            expect(parseMemory(memory.to)).toBeGreaterThan(parseMemory(memory.from)!)
          }
          if (runtime) {
            expect(parseDuration(runtime.to)).toBeLessThanOrEqual(POLICY.maxRuntimeSeconds)
            expect(parseDuration(runtime.to)).toBeGreaterThan(parseDuration(runtime.from)!)
          }
        }
      }),
    )
  })
})
