import fc from 'fast-check'
import { expect, it } from 'vitest'
import {
  type Candidate,
  claimOrder,
  fitsAlone,
  type Need,
  type Offer,
  pack,
  SORT_METHODS,
} from '../../api/core/packing.ts'

const need = fc.record({
  cpus: fc.integer({ min: 1, max: 6 }),
  memoryBytes: fc.integer({ min: 0, max: 6 }),
  gpus: fc.integer({ min: 0, max: 2 }),
  nodes: fc.oneof({ weight: 4, arbitrary: fc.constant(1) }, fc.integer({ min: 2, max: 3 })),
  runtimeSeconds: fc.integer({ min: 0, max: 100 }),
})
const offer: fc.Arbitrary<Offer> = fc.record({
  cpus: fc.integer({ min: 0, max: 8 }),
  memoryBytes: fc.integer({ min: 0, max: 10 }),
  gpus: fc.integer({ min: 0, max: 3 }),
  nodes: fc.integer({ min: 0, max: 4 }),
  timeLimitSeconds: fc.option(fc.integer({ min: 0, max: 100 }), { nil: undefined }),
})
const queue = fc
  .tuple(
    fc.array(need, { minLength: 1, maxLength: 5 }),
    fc.array(fc.tuple(fc.nat(4), fc.nat(3)), { maxLength: 25 }),
    fc.constantFrom(...SORT_METHODS),
  )
  .map(([needs, jobs, method]) =>
    jobs
      .map(([at, priority], id): Candidate => {
        const k = at % needs.length
        return { id, priority, class: { ...needs[k]!, id: k, schedulerId: null, labels: '' } }
      })
      .sort(claimOrder(method)),
  )
const limit = fc.nat(12)

/** The contract's rule word for word (notes.md 10.2): whether these jobs have room beside each other. */
function haveRoom(jobs: readonly Need[], on: Offer): boolean {
  const exclusive = jobs.filter(job => job.nodes > 1).reduce((sum, job) => sum + job.nodes, 0)
  const shared = Math.max(on.nodes, 1) - exclusive
  const total = (of: 'cpus' | 'memoryBytes' | 'gpus') =>
    jobs.filter(job => job.nodes === 1).reduce((sum, job) => sum + job[of], 0)
  return shared >= 0 && (['cpus', 'memoryBytes', 'gpus'] as const).every(of => total(of) <= shared * on[of])
}

const classes = (candidates: readonly Candidate[]) => candidates.map(candidate => candidate.class)

it('pack() never takes more than the capacity, the limit, or a job that does not fit a node', () => {
  fc.assert(
    fc.property(queue, offer, limit, (candidates, on, most) => {
      const { taken } = pack(candidates, on, { limit: most })
      expect(taken.length).toBeLessThanOrEqual(most)
      expect(haveRoom(classes(taken), on)).toBe(true)
      expect(taken.every(candidate => fitsAlone(candidate.class, on))).toBe(true)
    }),
  )
})

it('pack() takes what a naive walk takes: nothing skipped would have had room beside the more urgent ones', () => {
  fc.assert(
    fc.property(queue, offer, limit, (candidates, on, most) => {
      const naive: Candidate[] = []
      for (const candidate of candidates) {
        const fits = fitsAlone(candidate.class, on) && haveRoom(classes([...naive, candidate]), on)
        if (naive.length < most && fits) naive.push(candidate)
      }
      expect(pack(candidates, on, { limit: most }).taken).toEqual(naive)
    }),
  )
})

it('pack() needs of each class only as many candidates as it may choose', () => {
  fc.assert(
    fc.property(queue, offer, offer, limit, fc.nat(5), (candidates, on, holdOffer, most, jobs) => {
      const seen = new Map<number, number>()
      const few = candidates.filter(({ class: { id } }) => {
        seen.set(id, (seen.get(id) ?? 0) + 1)
        return seen.get(id)! <= most + jobs
      })
      const options = { limit: most, hold: { jobs, offer: holdOffer } }
      const { taken, held } = pack(few, on, options)
      expect({ taken, held }).toEqual((({ taken, held }) => ({ taken, held }))(pack(candidates, on, options)))
    }),
  )
})

it('pack() holds only jobs within the hold offer, no more than asked, and never one it takes', () => {
  fc.assert(
    fc.property(queue, offer, offer, limit, fc.nat(5), (candidates, on, holdOffer, most, jobs) => {
      const { taken, held } = pack(candidates, on, { limit: most, hold: { jobs, offer: holdOffer } })
      expect(held.length).toBeLessThanOrEqual(jobs)
      expect(held.every(candidate => fitsAlone(candidate.class, holdOffer))).toBe(true)
      expect(held.some(candidate => taken.includes(candidate))).toBe(false)
      expect(taken).toEqual(pack(candidates, on, { limit: most }).taken)
    }),
  )
})

it('pack() names as passed over the most urgent one that the empty node could run and something less urgent went before', () => {
  fc.assert(
    fc.property(queue, offer, offer, limit, fc.nat(3), (candidates, on, total, most, jobs) => {
      const { taken, held, passedOver } = pack(candidates, on, { limit: most, total, hold: { jobs, offer: on } })
      const chosen = new Set([...taken, ...held])
      const last = candidates.findLastIndex(candidate => chosen.has(candidate))
      const expected = candidates
        .slice(0, Math.max(last, 0))
        .find(candidate => !chosen.has(candidate) && fitsAlone(candidate.class, total))
      expect(passedOver).toEqual(expected)
    }),
  )
})

it('claimOrder() puts priority first, then the sort method, then the id', () => {
  const job = (id: number, priority: number, fields: Partial<Need> = {}): Candidate => ({
    id,
    priority,
    class: {
      cpus: 1,
      memoryBytes: 1,
      gpus: 0,
      nodes: 1,
      runtimeSeconds: 1,
      id,
      schedulerId: null,
      labels: '',
      ...fields,
    },
  })
  const jobs = [
    job(1, 0),
    job(2, 1),
    job(3, 0, { memoryBytes: 9 }),
    job(4, 0, { runtimeSeconds: 9 }),
    job(5, 0, { gpus: 1 }),
    job(6, 0, { cpus: 2 }),
  ]
  const order = (method: (typeof SORT_METHODS)[number]) =>
    [...jobs].sort(claimOrder(method)).map(candidate => candidate.id)
  expect(order('none')).toEqual([2, 1, 3, 4, 5, 6])
  expect(order('gpus_runtime_memory')).toEqual([2, 5, 4, 3, 6, 1])
  expect(order('gpus_memory_runtime')).toEqual([2, 5, 3, 4, 6, 1])
})
