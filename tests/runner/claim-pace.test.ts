import { expect, test } from 'vitest'
import { createClaimPace } from '../../runner/claim-pace.ts'

/** Without jitter. */
const paceOf = (leaseMs = 120_000) => createClaimPace(leaseMs, () => 0)

test('S71 foundNothing() doubles the pause up to 30 s, and progress begins anew', () => {
  const pace = paceOf()
  const pauses = Array.from({ length: 10 }, () => {
    pace.asked()
    pace.foundNothing(0)
    return pace.atMs
  })
  expect(pauses).toEqual([200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000])
  pace.progressed()
  expect(pace.atMs).toBe(0)
  pace.foundNothing(0)
  expect(pace.atMs).toBe(200)
})

test('foundNothing() never pauses for longer than a third of a lease', () => {
  const pace = paceOf(15_000)
  for (let k = 0; k < 9; k++) pace.foundNothing(0)
  expect(pace.atMs).toBe(5_000)
})

test('foundNothing() asks again at once when there was news since the claim went out', () => {
  const pace = paceOf()
  pace.asked()
  pace.hasNews()
  expect(pace.foundNothing(1_000)).toBe(false)
  expect(pace.atMs).toBe(0)
  pace.asked()
  expect(pace.foundNothing(1_000)).toBe(true)
})

test('noticed() makes a claim due at once, however long the poll has become', () => {
  const pace = paceOf()
  for (let k = 0; k < 9; k++) pace.foundNothing(0)
  expect(pace.atMs).toBe(30_000)
  pace.noticed(5_000)
  expect(pace.atMs).toBe(5_000)
})

test('noticed() is followed less and less often by who looks in vain each time, and at once again after progress', () => {
  const pace = paceOf()
  let now = 0
  const waits: number[] = []
  for (let k = 0; k < 8; k++) {
    pace.noticed(now)
    waits.push(pace.atMs - now)
    now = Math.max(now, pace.atMs)
    pace.asked()
    pace.foundNothing(now)
  }
  expect(waits[0]).toBe(0)
  expect(waits.slice(1)).toEqual([50, 100, 200, 400, 800, 1_600, 2_000])
  pace.progressed()
  pace.foundNothing(now)
  pace.noticed(now)
  expect(pace.atMs).toBe(now)
})
