import { describe, expect, test } from 'vitest'
import { judge } from '../../runner/allocate/judge.ts'
import { type Evidence, newPauses, refusedInRow } from '../../runner/allocate/pauses.ts'
import type { WirePlan, WireRecent } from '../../runner/allocate/wire.ts'
import type { Listing } from '../../runner/schedulers/types.ts'
import { recentOf } from './given.ts'

const PLAN: WirePlan = { id: 1, workflow_id: 1, name: 'default', config: {}, state: 'active', since: 0, pauses: {} }

const many = (count: number, fields: Partial<WireRecent>) => Array.from({ length: count }, () => recentOf(fields))
const EVIDENCE: Evidence = { rows: [], judged: [], groups: [], idleExitSeconds: 90, pendLimitSeconds: 600, nowMs: 9 }

const pausesOf = (rows: WireRecent[], plan: Partial<WirePlan> = {}, groups: Evidence['groups'] = []) =>
  newPauses({ ...PLAN, ...plan }, { ...EVIDENCE, rows, groups })

describe('newPauses()', () => {
  test('pauses a queue after ten refusals in a row, with the words of the last and its script', () => {
    const refused = { state: 'refused', message: 'Invalid account' } as const
    expect(pausesOf(many(9, refused))).toEqual({})
    expect(pausesOf(many(10, refused))).toEqual({
      '': {
        since: 9,
        reason: '10 submissions in a row were refused',
        message: 'Invalid account',
        script: '/none/hr-00000001.sh',
      },
    })
  })

  test('begins to count anew after one that was taken, and counts no outcome that is not known', () => {
    const refused = { state: 'refused' } as const
    expect(pausesOf([...many(9, refused), recentOf({ state: 'queued' }), ...many(9, refused)])).toEqual({})
    const rows = [...many(5, refused), recentOf({ state: 'submitting' }), ...many(5, refused)]
    expect(Object.keys(pausesOf(rows))).toEqual([''])
    expect(refusedInRow(rows, '')).toBe(10)
  })

  test('pauses after three allocations in a row that ended without a runner, and shows where their output lies', () => {
    const failed = { state: 'ended', message: 'node: command not found' } as const
    expect(pausesOf(many(2, failed))).toEqual({})
    expect(pausesOf([...many(2, failed), recentOf({ ...failed, registered_runners: 1 }), ...many(2, failed)])).toEqual(
      {},
    )
    expect(pausesOf(many(3, failed))).toMatchObject({ '': { message: 'node: command not found', log: '/none' } })
    // What was given up did not fail.
    expect(pausesOf([...many(2, failed), recentOf({ state: 'canceled' }), recentOf(failed)])).toMatchObject({ '': {} })
  })

  test('pauses after five allocations in a row whose runners left although jobs that fit them were ready all the time', () => {
    const group = {
      cpus: 1,
      memory_bytes: 1,
      gpus: 0,
      nodes: 1,
      runtime_seconds: 60,
      scheduler_id: null,
      labels: '',
      count: 3,
      ready_since: 0,
    }
    const idle = { state: 'ended', registered_runners: 1, started_at: 1_000, ended_at: 100_000 } as const
    expect(pausesOf(many(4, idle), {}, [group])).toEqual({})
    expect(pausesOf(many(5, idle), {}, [group])).toMatchObject({ '': { log: '/none' } })
    // They worked for a while, or the jobs came later, or do not fit.
    expect(pausesOf(many(5, { ...idle, ended_at: 300_000 }), {}, [group])).toEqual({})
    expect(pausesOf(many(5, idle), {}, [{ ...group, ready_since: 2_000 }])).toEqual({})
    expect(pausesOf(many(5, idle), {}, [{ ...group, cpus: 5 }])).toEqual({})
    expect(pausesOf(many(5, idle))).toEqual({})
  })

  test('pauses when a request can never start and has waited long enough', () => {
    const listing: Listing = {
      kind: 'listed',
      startedAtMs: 1,
      elements: [
        { allocation: '123', state: 'queued', word: 'PENDING', reason: 'PartitionTimeLimit', stuck: true, name: 'x' },
      ],
      gone: new Set(),
    }
    const row = recentOf()
    const at = (nowMs: number) => newPauses(PLAN, { ...EVIDENCE, rows: [row], judged: [judge(row, listing)], nowMs })
    expect(at(599_000)).toEqual({})
    expect(at(600_000)).toMatchObject({
      '': { reason: 'allocation 123 can never start', message: 'PENDING: PartitionTimeLimit' },
    })
  })

  test('looks at each queue by itself, and not at what was before the plan was resumed', () => {
    const rows = [...many(10, { state: 'refused', queue: 'short' }), ...many(3, { state: 'refused', queue: 'long' })]
    expect(Object.keys(pausesOf(rows))).toEqual(['short'])
    expect(pausesOf(rows, { since: 1 })).toEqual({})
    expect(pausesOf(rows, { pauses: { short: { reason: 'known', since: 1 } } })).toEqual({})
  })
})
