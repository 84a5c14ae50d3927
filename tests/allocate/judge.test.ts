import { describe, expect, test } from 'vitest'
import { judge } from '../../runner/allocate/judge.ts'
import { findLostRunners } from '../../runner/allocate/lost-runners.ts'
import type { WireDemand } from '../../runner/allocate/wire.ts'
import type { ListedElement, Listing } from '../../runner/schedulers/types.ts'
import { recentOf } from './given.ts'

const elementOf = (fields: Partial<ListedElement> = {}): ListedElement => ({
  allocation: '123',
  state: 'queued',
  word: 'PENDING',
  stuck: false,
  name: 'hr-00000001',
  ...fields,
})

const listed = (elements: ListedElement[], gone: string[] = [], startedAtMs = 1_000_000): Listing => ({
  kind: 'listed',
  startedAtMs,
  elements,
  gone: new Set(gone),
})

const UNKNOWN: Listing = { kind: 'unknown', startedAtMs: 1_000_000, message: 'connect failure' }

describe('judge()', () => {
  test('counts queued elements, and running ones whose runner has not registered', () => {
    const elements = [
      elementOf({ index: 1, state: 'running', word: 'RUNNING' }),
      elementOf({ index: 2, state: 'running', word: 'RUNNING' }),
      elementOf({ index: 3 }),
      elementOf({ index: 4 }),
    ]
    const row = recentOf({ width: 4, registered_runners: 1, active_runners: 1 })
    expect(judge(row, listed(elements))).toMatchObject({ state: 'running', queued: 2, starting: 1, indices: [3, 4] })
  })

  test('S45 changes nothing while the queue cannot be seen: what has no runner is taken to be on its way', () => {
    expect(judge(recentOf({ width: 5, registered_runners: 2 }), UNKNOWN)).toMatchObject({
      state: 'queued',
      starting: 3,
    })
    expect(judge(recentOf({ state: 'running' }), UNKNOWN).state).toBe('running')
  })

  test('S47 takes nothing for over that was acknowledged after the listing began', () => {
    const row = recentOf({ submitted_at: 1_000_001 })
    expect(judge(row, listed([], ['123']))).toMatchObject({ state: 'queued', starting: 1 })
    expect(judge(recentOf(), listed([], ['123'])).state).toBe('ended')
  })

  test('calls what was given up before any runner came canceled, not failed', () => {
    expect(judge(recentOf({ unneeded_since: 5 }), listed([], ['123'])).state).toBe('canceled')
    expect(judge(recentOf({ unneeded_since: 5, registered_runners: 1 }), listed([], ['123'])).state).toBe('ended')
  })

  test('adopts by its name a submission whose answer nobody heard, and gives it up only after the grace', () => {
    const row = recentOf({ state: 'submitting', scheduler_id: undefined, submitted_at: undefined, width: 3 })
    const found = judge(row, listed([elementOf({ allocation: '777' })]))
    expect(found).toMatchObject({ row: { scheduler_id: '777' }, state: 'queued', queued: 1 })
    expect(judge(row, listed([], [], 119_999))).toMatchObject({ state: 'submitting', starting: 3 })
    expect(judge(row, listed([], [], 120_000))).toMatchObject({ state: 'refused', starting: 0 })
    expect(judge(row, UNKNOWN)).toMatchObject({ state: 'submitting', starting: 3 })
  })

  test('tells in the words of the scheduler what can never start', () => {
    const stuck = elementOf({ stuck: true, reason: 'PartitionTimeLimit' })
    expect(judge(recentOf(), listed([stuck])).stuck).toBe('PENDING: PartitionTimeLimit')
  })
})

describe('findLostRunners()', () => {
  type Runner = WireDemand['runners'][number]
  const runner = (id: number, worker: number, allocation = 'hr-00000001'): Runner => ({
    id,
    allocation,
    worker,
    cpus: 1,
    memory_bytes: 1,
    gpus: 0,
    nodes: 1,
    labels: '',
    used_cpus: 0,
    used_memory_bytes: 0,
    used_gpus: 0,
    busy_seconds: 0,
    seconds_left: null,
  })
  const running = (index?: number) => elementOf({ index, state: 'running', word: 'RUNNING' })
  const lost = (runners: Runner[], listing: Listing) =>
    findLostRunners(runners, [recentOf({ width: 3 })], listing).map(({ id }) => id)

  test('finds those whose element is over, and of one element all but the newest', () => {
    expect(lost([runner(1, 1), runner(2, 2), runner(3, 3)], listed([running(1), running(3)]))).toEqual([2])
    expect(lost([runner(1, 1), runner(4, 1)], listed([running(1)]))).toEqual([1])
    expect(lost([runner(1, 1)], listed([], ['123']))).toEqual([1])
    expect(lost([runner(1, 1)], listed([running()]))).toEqual([])
  })

  test('finds none without proof: no listing, unknown states, runners of others', () => {
    expect(lost([runner(1, 1)], UNKNOWN)).toEqual([])
    expect(lost([runner(1, 1)], listed([elementOf({ state: 'unknown', word: 'ODD' })]))).toEqual([])
    expect(lost([runner(1, 1, 'hr-0000000f')], listed([], ['123']))).toEqual([])
  })
})
