import { expect, test } from 'vitest'
import { decideEnd, type Outlook } from '../../runner/ending.ts'

type Counts = Record<string, number>
const outlook = (counts: Counts, fields: Partial<Outlook> = {}, more: Partial<Outlook['summary']> = {}): Outlook => ({
  summary: {
    workflow_id: 1,
    name: 'w',
    run_id: 0,
    is_complete: false,
    is_canceled: false,
    total_jobs: 3,
    jobs_by_status: counts,
    active_compute_nodes: 1,
    wait_for_new_jobs_seconds: 90,
    ...more,
  },
  isLeaving: false,
  idleMs: 0,
  idleExitMs: undefined,
  stays: false,
  nodeIsShared: false,
  ...fields,
})

test.each([
  ['a canceled workflow ends it', outlook({}, {}, { is_canceled: true, is_complete: true }), 'canceled'],
  ['a complete one ends it', outlook({}, {}, { is_complete: true }), 'complete'],
  ['a runner that leaves is drained', outlook({ ready: 1 }, { isLeaving: true }), 'drained'],
  ['what fits nobody ends it at once', outlook({ ready: 1 }), 'no_room'],
  ['what others run is waited for', outlook({ running: 1 }, { idleMs: 89_000 }), undefined],
  ['but not for ever', outlook({ running: 1 }, { idleMs: 90_000 }), 'idle'],
  ['--idle-exit goes before', outlook({ ready: 1 }, { idleExitMs: 5_000, idleMs: 4_000 }), undefined],
  [
    'what waits out its pause is waited for',
    outlook({ ready: 1 }, { idleMs: 1e9 }, { next_retry_in_seconds: 5 }),
    undefined,
  ],
  ['who serves whatever comes stays', outlook({}, { stays: true, idleMs: 1e9 }, { is_complete: true }), undefined],
  ['unless it is to end when idle', outlook({}, { stays: true, idleExitMs: 10, idleMs: 10 }), 'idle'],
])('decideEnd(): %s', (_, given, end) => {
  expect(decideEnd(given).end).toBe(end)
})

test('decideEnd() says when the patience is over', () => {
  expect(decideEnd(outlook({ running: 1 }, { idleMs: 30_000 }))).toEqual({ end: undefined, againInMs: 60_000 })
})
