import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type Graph, initializedStatuses, topologicalOrder } from '../../api/core/graph.ts'
import { JOB_STATUSES, STATUS } from '../../api/core/status.ts'

const MOST = 12
const edges = fc.array(fc.tuple(fc.nat(MOST - 1), fc.nat(MOST - 1)), { maxLength: 30 })
const graph = (pairs: readonly (readonly [number, number])[]): Graph => ({
  size: MOST,
  from: pairs.map(([from]) => from),
  to: pairs.map(([, to]) => to),
})
/** Without circles: every edge leads upwards. */
const acyclic = edges.map(pairs =>
  pairs.filter(([a, b]) => a !== b).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const),
)

it('topologicalOrder() gives every job once, after all it waits for, or a cycle whose every step is an edge', () => {
  fc.assert(
    fc.property(edges, pairs => {
      const { order, cycle } = topologicalOrder(graph(pairs))
      if (cycle === undefined) {
        expect([...order!].sort((a, b) => a - b)).toEqual(Array.from({ length: MOST }, (_, k) => k))
        const place = new Map([...order!].map((job, at) => [job, at]))
        for (const [from, to] of pairs) expect(place.get(from)!).toBeLessThan(place.get(to)!)
      } else {
        expect(new Set(cycle).size).toBe(cycle.length)
        cycle.forEach((job, k) => {
          const next = cycle[(k + 1) % cycle.length]!
          expect(
            pairs.some(([from, to]) => from === job && to === next),
            `${job} -> ${next}`,
          ).toBe(true)
        })
      }
    }),
  )
})

it('topologicalOrder() finds no cycle where there is none', () => {
  fc.assert(
    fc.property(acyclic, pairs => {
      expect(topologicalOrder(graph(pairs)).cycle).toBeUndefined()
    }),
  )
})

it('initializedStatuses() counts what each waiting job waits for, and leaves nobody ready who waits', () => {
  const statuses = fc.array(fc.constantFrom(...JOB_STATUSES.map(word => STATUS[word])), {
    minLength: MOST,
    maxLength: MOST,
  })
  const done: number[] = [STATUS.completed, STATUS.failed, STATUS.canceled, STATUS.terminated, STATUS.disabled]
  fc.assert(
    fc.property(acyclic, statuses, fc.boolean(), (pairs, before, onlyUninitialized) => {
      const { order } = topologicalOrder(graph(pairs))
      const after = initializedStatuses(graph(pairs), order!, Uint8Array.from(before), {
        onlyUninitialized,
        keep: new Uint8Array(MOST),
      })
      after.status.forEach((status, job) => {
        const open = pairs.filter(([from, to]) => to === job && !done.includes(after.status[from]!)).length
        if (status === STATUS.blocked) expect(after.unfinished[job]).toBe(open)
        else if (status === STATUS.ready) expect(open).toBe(0)
        else expect(done).toContain(status)
        if (status === STATUS.blocked) expect(open).toBeGreaterThan(0)
      })
    }),
  )
})
