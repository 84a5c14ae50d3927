import { describe, expect, it } from 'vitest'
import {
  decidePipe,
  type PipeSnapshot,
  pauseReason,
  type SubmissionFacts,
  widthOf,
} from '../../api/core/pipe/decision.ts'
import { type Observed, observe } from '../../api/core/pipe/liveness.ts'

/** The wrong rules that others shipped (hpc.md 4), each as the decision that must be made instead. */

const NOW = 10_000_000
const GRACE_MS = 120_000

const submission = (fields: Partial<SubmissionFacts> = {}): SubmissionFacts => ({
  state: 'submitted',
  liveness: 'alive',
  queued: 0,
  running: 0,
  decidedAt: NOW - 10 * GRACE_MS,
  hasRegistered: true,
  ...fields,
})

const gone = (fields: Partial<SubmissionFacts> = {}) => submission({ state: 'gone', liveness: 'gone', ...fields })

const snapshot = (fields: Partial<PipeSnapshot> = {}): PipeSnapshot => ({
  now: NOW,
  state: 'active',
  isPaused: false,
  claimable: { fresh: 0, retried: 5 },
  liveRunners: 0,
  submissions: [gone()],
  graceMs: GRACE_MS,
  size: { most: 100, arrayMost: undefined, placesLeft: undefined },
  refilledTo: undefined,
  isAsked: false,
  ...fields,
})

/** Decides at every poll, as a reconciling process does, and submits what was decided; tells the widths of what was submitted. */
function poll(times: number, before: PipeSnapshot, everyMs = 30_000): number[] {
  const widths: number[] = []
  let now = before.now
  let submissions = [...before.submissions]
  for (let k = 0; k < times; k++, now += everyMs) {
    const decision = decidePipe({ ...before, now, submissions })
    if (!decision.submit) continue
    widths.push(decision.width)
    submissions = [...submissions, submission({ decidedAt: now, queued: 0 })]
  }
  return widths
}

describe('decidePipe()', () => {
  it('W1, S42 asks for nothing over 50 polls while 10 elements are queued and retries are there', () => {
    const submissions = [submission({ queued: 10, decidedAt: NOW - GRACE_MS * 50 })]
    expect(poll(50, snapshot({ submissions }))).toEqual([])
    expect(decidePipe(snapshot({ submissions }))).toEqual({ submit: false, because: 'queued_elements' })
  })

  it('W2, S43 asks exactly once, for 5 elements, when all are gone, 5 jobs are ready and the grace is over', () => {
    expect(poll(50, snapshot({ claimable: { fresh: 0, retried: 5 } }))).toEqual([5])
  })

  it('W3 asks for fresh work alone too, and says that an allocation was lost', () => {
    const decision = decidePipe(snapshot({ claimable: { fresh: 7, retried: 0 } }))
    expect(decision).toEqual({ submit: true, width: 7, reason: 'allocation_lost' })
    expect(poll(50, snapshot({ claimable: { fresh: 7, retried: 0 } }))).toEqual([7])
  })

  it('calls a round of tried work alone a retry round', () => {
    expect(decidePipe(snapshot())).toMatchObject({ reason: 'retry_round' })
    expect(decidePipe(snapshot({ claimable: { fresh: 1, retried: 4 } }))).toMatchObject({ reason: 'allocation_lost' })
  })

  it.each([
    [0, false],
    [10_000, false],
    [119_000, false],
    [121_000, true],
  ])('W4, S44 decides %d ms after a submission that is gone: %s', (ageMs, submit) => {
    const decision = decidePipe(snapshot({ submissions: [gone({ decidedAt: NOW - ageMs })] }))
    expect(decision).toMatchObject(submit ? { submit } : { submit, because: 'grace' })
  })

  it.each(['alive', 'unknown'] as const)(
    'S45 takes a submission that is %s for one that will serve the work',
    liveness => {
      const decision = decidePipe(snapshot({ submissions: [gone(), submission({ liveness })] }))
      expect(decision).toEqual({ submit: false, because: 'not_proven_gone' })
    },
  )

  it('W8 waits for live runners only, not for a job: retries beside a long job are claimed by whoever lives', () => {
    expect(decidePipe(snapshot({ liveRunners: 1 }))).toEqual({ submit: false, because: 'live_runners' })
  })

  it('W9 asks for as many elements as there are jobs, not for the old width', () => {
    expect(decidePipe(snapshot({ claimable: { fresh: 0, retried: 3 } }))).toMatchObject({ width: 3 })
  })

  describe('where the scheduler keeps no throttle', () => {
    const at = (refilledTo: number, submissions: SubmissionFacts[], fields: Partial<PipeSnapshot> = {}) =>
      decidePipe(snapshot({ refilledTo, submissions, claimable: { fresh: 9, retried: 0 }, ...fields }))
    const running = (n: number, fields: Partial<SubmissionFacts> = {}) => submission({ running: n, ...fields })

    it('S32 makes up for the elements that ended, never above the throttle', () => {
      expect(at(8, [running(5)])).toEqual({ submit: true, width: 3, reason: 'refill' })
      expect(at(8, [running(5), running(2), gone()])).toEqual({ submit: true, width: 1, reason: 'refill' })
      expect(at(8, [running(5), running(3)])).toEqual({ submit: false, because: 'not_proven_gone' })
      expect(at(8, [running(5)], { liveRunners: 7 })).toMatchObject({ width: 1 })
      expect(at(8, [running(5)], { liveRunners: 8 })).toEqual({ submit: false, because: 'live_runners' })
    })

    it('asks for no more elements than there are jobs, and waits out queue and grace as ever', () => {
      expect(at(8, [running(5)], { claimable: { fresh: 1, retried: 1 } })).toMatchObject({ width: 2 })
      expect(at(8, [running(5, { queued: 1 })])).toEqual({ submit: false, because: 'queued_elements' })
      expect(at(8, [running(5, { decidedAt: NOW - GRACE_MS / 2 })])).toEqual({ submit: false, because: 'grace' })
      expect(at(8, [running(5)], { claimable: { fresh: 0, retried: 0 } })).toMatchObject({ submit: false })
    })

    it.each([
      ['was not acknowledged', submission({ state: 'intended', liveness: 'unknown' })],
      ['was not listed yet', running(0)],
      ['cannot be judged', running(2, { liveness: 'unknown' })],
    ])('asks for nothing while an array %s', (_, unsure) => {
      expect(at(8, [running(3), unsure])).toEqual({ submit: false, because: 'not_proven_gone' })
    })

    it('is as wide as the throttle again when all are gone', () => {
      const size = { most: 8, arrayMost: undefined, placesLeft: undefined }
      expect(at(8, [gone()], { size })).toEqual({ submit: true, width: 8, reason: 'allocation_lost' })
    })
  })

  it('W11 asks for nothing while a submission was decided and its answer is not known', () => {
    const open = submission({ state: 'intended', liveness: 'unknown', decidedAt: NOW - 100 * GRACE_MS })
    expect(decidePipe(snapshot({ submissions: [open] }))).toEqual({ submit: false, because: 'not_proven_gone' })
  })

  it.each(['completed', 'partial', 'failed', 'canceled'] as const)('S49 leaves a run alone that is %s', state => {
    expect(decidePipe(snapshot({ state }))).toEqual({ submit: false, because: 'over' })
  })

  it('leaves a paused run alone, and one whose jobs all wait or run', () => {
    expect(decidePipe(snapshot({ isPaused: true }))).toEqual({ submit: false, because: 'paused' })
    expect(decidePipe(snapshot({ claimable: { fresh: 0, retried: 0 } }))).toMatchObject({
      because: 'nothing_claimable',
    })
  })

  it('makes the first submission by the same test', () => {
    const first = snapshot({ state: 'staged', submissions: [], claimable: { fresh: 20, retried: 0 } })
    expect(decidePipe(first)).toEqual({ submit: true, width: 20, reason: 'first' })
  })

  it('S36 submits again at once after a refusal when somebody asks, and after the grace otherwise', () => {
    const refused = submission({ state: 'refused', decidedAt: NOW - 1_000 })
    const staged = snapshot({ state: 'staged', submissions: [refused], claimable: { fresh: 12, retried: 0 } })
    expect(decidePipe(staged)).toEqual({ submit: false, because: 'grace' })
    expect(decidePipe({ ...staged, isAsked: true })).toEqual({ submit: true, width: 12, reason: 'first' })
    expect(decidePipe({ ...staged, now: NOW + GRACE_MS })).toMatchObject({ submit: true })
  })

  it('asks for nothing when no place is left under a cap', () => {
    const full = snapshot({ size: { most: 100, arrayMost: undefined, placesLeft: 0 } })
    expect(decidePipe(full)).toEqual({ submit: false, because: 'no_places' })
  })
})

describe('widthOf()', () => {
  it.each([
    [300, { most: 100 }, 100],
    [12, { most: 100 }, 12],
    [1, { most: 100 }, 1],
    [5000, { most: 2000, arrayMost: 1000 }, 1000],
    [50, { most: 100, placesLeft: 3 }, 3],
  ])('S29 gives %d jobs, limited by %j, %d elements', (jobs, limits, width) => {
    expect(widthOf(jobs, { arrayMost: undefined, placesLeft: undefined, ...limits })).toBe(width)
  })
})

const fresh: Observed = {
  state: 'submitted',
  liveness: 'alive',
  misses: 0,
  acknowledgedAt: NOW,
  listedAt: undefined,
}

describe('observe()', () => {
  const at = (ms: number, verdict: 'queued' | 'running' | 'gone' | 'unknown' = 'gone') => ({
    verdict,
    listingStartedAt: NOW + ms,
  })
  const seen = (...sightings: ReturnType<typeof at>[]) => sightings.reduce(observe, fresh)

  it('W5, S47 keeps a submission alive that a listing from before its acknowledgement does not show', () => {
    expect(seen(at(-5_000), at(-1_000), at(0))).toEqual(fresh)
  })

  it('takes a submission for gone after two listings that were begun later', () => {
    expect(seen(at(1_000))).toMatchObject({ state: 'submitted', liveness: 'alive' })
    expect(seen(at(1_000), at(2_000))).toMatchObject({ state: 'gone', liveness: 'gone' })
  })

  it('does not count one listing twice, whoever tells it', () => {
    expect(seen(at(1_000), at(1_000), at(1_000))).toMatchObject({ state: 'submitted', misses: 1 })
  })

  it('W6 changes nothing but that it is unknown when a listing failed', () => {
    const lost = seen(at(1_000), at(2_000, 'unknown'), at(3_000, 'unknown'), at(4_000, 'unknown'))
    expect(lost).toMatchObject({ state: 'submitted', liveness: 'unknown', misses: 1 })
    expect(observe(lost, at(5_000, 'running'))).toMatchObject({ state: 'submitted', liveness: 'alive', misses: 0 })
  })

  it('begins to count anew when the submission is seen again, as during a requeue', () => {
    expect(seen(at(1_000), at(2_000, 'queued'), at(3_000))).toMatchObject({ state: 'submitted', misses: 1 })
  })

  it('never brings back what is gone, and never loses what was not acknowledged', () => {
    const lost = seen(at(1_000), at(2_000))
    expect(observe(lost, at(3_000, 'running'))).toBe(lost)
    const intended: Observed = { ...fresh, state: 'intended', liveness: 'unknown', acknowledgedAt: undefined }
    expect([at(1_000), at(2_000), at(3_000)].reduce(observe, intended)).toEqual(intended)
  })
})

describe('pauseReason()', () => {
  it('pauses after three arrays in a row of which no runner registered', () => {
    const stillborn = gone({ hasRegistered: false })
    expect(pauseReason([gone(), stillborn, stillborn])).toBeUndefined()
    expect(pauseReason([gone(), stillborn, stillborn, stillborn])).toMatch(/3 arrays in a row/)
    expect(pauseReason([stillborn, stillborn, gone(), stillborn])).toBeUndefined()
  })

  it('pauses after ten refusals in a row, and counts no submission whose outcome is unknown', () => {
    const refused = submission({ state: 'refused' })
    const ten = Array.from({ length: 10 }, () => refused)
    expect(pauseReason(ten)).toMatch(/refused 10/)
    expect(pauseReason(ten.slice(1))).toBeUndefined()
    expect(pauseReason([...ten.slice(1), submission({ state: 'intended' })])).toBeUndefined()
  })
})
