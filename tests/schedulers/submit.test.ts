import { describe, expect, it } from 'vitest'
import { createLocal } from '../../runner/schedulers/local.ts'
import { LOST_AFTER_MS, submitOnce } from '../../runner/schedulers/submit.ts'
import type { AllocationRequest, Listing, Scheduler } from '../../runner/schedulers/types.ts'
import { recorded } from './recorded.ts'

const REQUEST: AllocationRequest = {
  name: 'hr-0123abcd',
  directory: '/scratch',
  command: 'true',
  nodes: 1,
  cores: 1,
  memoryBytes: 0,
  gpus: 0,
  walltimeSeconds: 60,
  perNode: false,
}
const SUBMITTED = { kind: 'submitted', id: '8', acknowledgedAtMs: 0 } as const
const good = (startedAtMs: number, names: string[]): Listing => ({
  kind: 'listed',
  startedAtMs,
  elements: names.map(name => ({ allocation: '7', state: 'queued' as const, word: 'Q', stuck: false, name })),
  gone: new Set(),
})

/** A scheduler that lists what is given and counts submissions. */
function scripted(listing: Listing) {
  let submissions = 0
  const scheduler: Scheduler = {
    ...createLocal(recorded()),
    list: async () => listing,
    submit: async () => {
      submissions++
      return SUBMITTED
    },
  }
  return { scheduler, submissions: () => submissions }
}

const once = async (listing: Listing, attemptedAtMs: number | undefined) => {
  const { scheduler, submissions } = scripted(listing)
  const outcome = await submitOnce(scheduler, REQUEST, { attemptedAtMs, clock: () => 5 })
  return { outcome, submissions: submissions() }
}

describe('submitOnce()', () => {
  it('submits a name that was never tried', async () => {
    expect(await once(good(0, ['hr-0123abcd']), undefined)).toEqual({ outcome: SUBMITTED, submissions: 1 })
  })

  it('W11 adopts what the scheduler has under the name', async () => {
    const { outcome, submissions } = await once(good(1000, ['other', 'hr-0123abcd']), 0)
    expect(outcome).toEqual({ kind: 'submitted', id: '7', acknowledgedAtMs: 5 })
    expect(submissions).toBe(0)
  })

  it('W4 W5 does not try again while the scheduler may still take the first one', async () => {
    const { outcome, submissions } = await once(good(LOST_AFTER_MS - 1, ['other']), 0)
    expect(outcome).toMatchObject({ kind: 'unknown', message: expect.stringContaining('may still be for 1 s') })
    expect(submissions).toBe(0)
  })

  it('W6 does not try again as long as nobody can look', async () => {
    const { outcome, submissions } = await once({ kind: 'unknown', startedAtMs: 1e9, message: 'away' }, 0)
    expect(outcome.kind).toBe('unknown')
    expect(submissions).toBe(0)
  })

  it('tries again when a good listing lacks the name for long enough', async () => {
    expect(await once(good(LOST_AFTER_MS, []), 0)).toEqual({ outcome: SUBMITTED, submissions: 1 })
  })
})
