import { describe, expect, test } from 'vitest'
import { type ClaimTerms, type ClaimWish, claimPart } from '../../runner/claim-part.ts'

const WHOLE = { cpus: 4, memoryBytes: 8 * 2 ** 30, gpus: 0, slots: 4 }
const TERMS: ClaimTerms = { computeNodeId: 1, leaseSeconds: 60, labels: [], bySlots: false, nodes: 3 }

const partOf = (wish: Partial<ClaimWish>, terms: Partial<ClaimTerms> = {}) =>
  claimPart(
    { ...TERMS, ...terms },
    {
      limit: 4,
      free: WHOLE,
      total: WHOLE,
      hold: 0,
      holdNeed: { cpus: 0, memoryBytes: 0, gpus: 0 },
      secondsLeft: undefined,
      ...wish,
    },
  )

test('claimPart() asks for a lease as long as it is told', () => {
  expect(partOf({}).lease_seconds).toBe(60)
})

describe('claimPart() in an allocation of several nodes', () => {
  test('offers all of them while this one is free, for one job', () => {
    expect(partOf({})).toMatchObject({ num_nodes: 3, num_cpus: 4, limit: 1, total: { num_cpus: 4, num_nodes: 3 } })
  })

  test('offers this one alone as soon as something runs', () => {
    expect(partOf({ free: { ...WHOLE, cpus: 3, slots: 3 } })).toMatchObject({ num_nodes: 1, num_cpus: 3, limit: 4 })
    const rest = partOf({ free: { ...WHOLE, memoryBytes: 1 } })
    // A job of several nodes that has waited for a minute keeps others off, until this one is free.
    expect(rest).toMatchObject({ num_nodes: 1, total: { num_nodes: 3 } })
  })

  test('asks as ever where there is one node, and in queue-depth mode', () => {
    expect(partOf({}, { nodes: undefined })).toMatchObject({ num_nodes: 1, limit: 4 })
    expect(partOf({}, { bySlots: true }).num_nodes).toBeUndefined()
    expect(partOf({ limit: 0 })).toMatchObject({ limit: 0 })
  })
})
