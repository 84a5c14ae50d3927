import { describe, expect, test } from 'vitest'
import { createRunEnd } from '../../runner/run-end.ts'

const HOUR_MS = 3_600_000
const config = (lead: number) => ({ sigterm_lead_seconds: lead, sigkill_headroom_seconds: 0 })

describe('createRunEnd()', () => {
  test('has the usual times while no workflow is known', () => {
    const end = createRunEnd(HOUR_MS, 0)
    expect(end.drainAtMs).toBe(HOUR_MS - 90_000)
    expect(end.stopAtMs).toBe(HOUR_MS - 90_000)
  })

  test('has those of the only workflow', () => {
    const end = createRunEnd(HOUR_MS, 0)
    end.note(config(10))
    expect(end.drainAtMs).toBe(HOUR_MS - 10_000)
    expect(end.stopAtMs).toBe(HOUR_MS - 10_000)
  })

  test('takes nothing new once the first workflow has to end, and stops with the last', () => {
    const end = createRunEnd(HOUR_MS, 0)
    for (const lead of [100, 600, 5]) end.note(config(lead))
    expect(end.drainAtMs).toBe(HOUR_MS - 600_000)
    expect(end.stopAtMs).toBe(HOUR_MS - 5_000)
    expect(end.of(config(100))).toEqual({ askAtMs: HOUR_MS - 100_000, killAtMs: HOUR_MS })
  })
})
