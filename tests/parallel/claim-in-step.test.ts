import { expect, test } from 'vitest'
import { claimInStep } from '../../runner/parallel/claim-in-step.ts'
import type { ClaimedJob, ClaimPart, ExchangeReply, ExchangeRequest } from '../../runner/wire.ts'

const NOTHING: ExchangeReply = { completed: [], errors: [] }
const PART: ClaimPart = { claim_id: 'c', limit: 4, lease_seconds: 9, labels: [], start: true }

/** A control plane that gives as many jobs as are asked for, and what it was asked. */
function setUp(slots: number) {
  const asked: (ClaimPart | undefined)[] = []
  const inStep = claimInStep(slots)
  const api = inStep.watch({
    async exchange({ claim }: ExchangeRequest) {
      asked.push(claim)
      return { ...NOTHING, claimed: Array.from({ length: claim?.limit ?? 0 }, () => ({}) as ClaimedJob) }
    },
    release: async () => true,
    heartbeat: async () => undefined,
    summary: async () => undefined,
  })
  const claim = (part: Partial<ClaimPart> = {}) =>
    api.exchange({ completions: [], verdicts: true, claim: { ...PART, ...part } })
  return { api, asked, claim, ended: inStep.ended }
}

test('claimInStep() never lets more be claimed than have slots, and nothing ahead', async () => {
  const { asked, claim, ended } = setUp(2)
  await claim({ hold: { jobs: 50, num_cpus: 1, memory_gb: 1, num_gpus: 0 } })
  await claim()
  ended()
  await claim()
  expect(asked.map(part => part && [part.limit, part.hold])).toEqual([[2, undefined], undefined, [1, undefined]])
})

test('claimInStep() has room again for what was given back', async () => {
  const { api, asked, claim } = setUp(2)
  await claim()
  await api.release([{ job_id: 1, claim_token: 't' }])
  await claim()
  expect(asked.map(part => part?.limit)).toEqual([2, 1])
})
