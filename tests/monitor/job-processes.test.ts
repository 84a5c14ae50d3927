import { describe, expect, test } from 'vitest'
import { processesOf } from '../../runner/monitor/job-processes.ts'
import type { Seen } from '../../runner/monitor/process-table.ts'

/** A table of `[pid, parent, group]`. */
const tableOf = (...rows: [number, number, number?][]): Map<number, Seen> =>
  new Map(rows.map(([pid, parent, group = pid]) => [pid, { pid, parent, group, cpuMs: 0, residentBytes: 0 }]))

const pidsOf = (table: Map<number, Seen>, mains: [number, number][]): Record<number, number[]> =>
  Object.fromEntries(
    [...processesOf(table, new Map(mains))].map(([tag, seen]) => [
      tag,
      seen.map(({ pid }) => pid).sort((a, b) => a - b),
    ]),
  )

const [RUNNER, LAUNCHER, SLOT_A, SLOT_B] = [100, 200, 210, 220]
const BASE: [number, number][] = [
  [1, 0],
  [RUNNER, 1],
  [LAUNCHER, RUNNER],
  [SLOT_A, LAUNCHER],
  [SLOT_B, LAUNCHER],
]

describe('processesOf()', () => {
  test('finds children of children, and nothing of the launcher', () => {
    const table = tableOf(...BASE, [300, SLOT_A], [301, 300], [302, 301])
    expect(pidsOf(table, [[300, 7]])).toEqual({ 7: [300, 301, 302] })
  })

  test("tells one job's from another's", () => {
    const table = tableOf(...BASE, [300, SLOT_A], [301, 300], [400, SLOT_B], [401, 400])
    expect(
      pidsOf(table, [
        [300, 7],
        [400, 8],
      ]),
    ).toEqual({ 7: [300, 301], 8: [400, 401] })
  })

  test('finds orphans that became children of the slot, in whatever group and session', () => {
    const table = tableOf(...BASE, [300, SLOT_A], [305, SLOT_A, 305], [306, 305, 306])
    expect(pidsOf(table, [[300, 7]])).toEqual({ 7: [300, 305, 306] })
  })

  test('finds orphans that the system has adopted, as long as they are in the group', () => {
    const table = tableOf(...BASE, [300, SLOT_A], [305, 1, 300], [306, 1, 306])
    expect(pidsOf(table, [[300, 7]])).toEqual({ 7: [300, 305] })
  })

  test('a job whose main process the system has adopted has no slot: others of the system are not its own', () => {
    const table = tableOf([1, 0], [300, 1], [301, 300], [50, 1])
    expect(pidsOf(table, [[300, 7]])).toEqual({ 7: [300, 301] })
  })

  test('leaves out a job whose main process is gone', () => {
    const table = tableOf(...BASE, [400, SLOT_B])
    expect(
      pidsOf(table, [
        [300, 7],
        [400, 8],
      ]),
    ).toEqual({ 8: [400] })
  })

  test('does not hang in a loop of parents, which pids that are given anew may make', () => {
    const table = tableOf(...BASE, [300, SLOT_A], [500, 501], [501, 500])
    expect(pidsOf(table, [[300, 7]])).toEqual({ 7: [300] })
  })
})
