import { describe, expect, test } from 'vitest'
import { type Moments, phasesByRunner, phasesOf } from '../../../runner/phases/phases.ts'
import { renderPhases } from '../../../runner/phases/render.ts'

const attempt = (node: number, at: number, seconds: number): Moments & { compute_node_id: number } => ({
  compute_node_id: node,
  ready_at: at,
  claimed_at: at + 100,
  launched_at: at + 150,
  exited_at: at + 150 + seconds * 1000,
  recorded_at: at + 170 + seconds * 1000,
})

describe('phasesOf()', () => {
  test('gives the seconds between the moments', () => {
    expect(phasesOf(attempt(1, 5_000, 2))).toEqual({
      queued_seconds: 0.1,
      launching_seconds: 0.05,
      running_seconds: 2,
      reporting_seconds: 0.02,
      total_seconds: 2.17,
    })
  })

  test('knows nothing of a phase without both its moments', () => {
    expect(phasesOf({ ready_at: 1, exited_at: 5, recorded_at: 1_005 })).toEqual({
      queued_seconds: undefined,
      launching_seconds: undefined,
      running_seconds: undefined,
      reporting_seconds: 1,
      total_seconds: 1.004,
    })
  })

  test('shows that clocks do not agree rather than hiding it', () => {
    expect(phasesOf({ claimed_at: 2_000, launched_at: 1_000 }).launching_seconds).toBe(-1)
  })
})

describe('phasesByRunner()', () => {
  test('sums up each runner, in the order of their numbers', () => {
    const attempts = [attempt(9, 0, 5), attempt(2, 0, 1), attempt(2, 0, 3), attempt(2, 1_000, 2)]
    const [first, second] = phasesByRunner(attempts)
    expect(first).toMatchObject({
      compute_node_id: 2,
      attempts: 3,
      span_seconds: 3,
      busy: 2,
      median: { running_seconds: 2, queued_seconds: 0.1 },
      sum: { running_seconds: 6, reporting_seconds: 0.06 },
    })
    expect(second).toMatchObject({ compute_node_id: 9, attempts: 1, median: { running_seconds: 5 } })
  })

  test('bears attempts of which nothing is known, and none at all', () => {
    expect(phasesByRunner([])).toEqual([])
    expect(phasesByRunner([{ compute_node_id: 1 }])).toEqual([
      { compute_node_id: 1, attempts: 1, span_seconds: undefined, busy: undefined, median: {}, sum: {} },
    ])
  })
})

test('renderPhases() shows milliseconds where they matter', () => {
  const row = { ...attempt(3, 0, 0.004), job_id: 7, job_name: 'quick', attempt_id: 1 }
  const text = renderPhases([row], phasesByRunner([row]), 120)
  expect(text).toMatch(/JOB +NAME +TRY +RUNNER +QUEUED +LAUNCHING +RUNNING +REPORTING +TOTAL/)
  expect(text).toMatch(/7 +quick +1 +3 +100 ms +50 ms +4 ms +20 ms +174 ms/)
})
