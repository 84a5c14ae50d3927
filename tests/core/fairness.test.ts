import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Contender, dealInTurns, lastTurnsOf } from '../../api/core/fairness.ts'

const NEVER = lastTurnsOf([])
const queue = (id: number, user: string, n: number, claimed = 0) => ({
  contender: { id, user, claimed } satisfies Contender,
  items: Array.from({ length: n }, (_, k) => `${user}${id}.${k}`),
})

test('dealInTurns() deals to users in turns, however many workflows each has', () => {
  const dealt = dealInTurns([queue(1, 'a', 2), queue(2, 'a', 2), queue(3, 'b', 4)], NEVER)
  expect(dealt).toEqual(['a1.0', 'b3.0', 'a2.0', 'b3.1', 'a1.1', 'b3.2', 'a2.1', 'b3.3'])
})

test('dealInTurns() gives first to the user who has the fewest jobs claimed', () => {
  const dealt = dealInTurns([queue(1, 'a', 3, 2), queue(2, 'b', 3, 0)], NEVER)
  expect(dealt).toEqual(['b2.0', 'b2.1', 'a1.0', 'b2.2', 'a1.1', 'a1.2'])
})

test('dealInTurns() of equals takes the one served longest ago, so that a single slot goes round', () => {
  const queues = [queue(1, 'a', 9), queue(2, 'a', 9), queue(3, 'b', 9)]
  const served: { id: number; user: string }[] = []
  const order: number[] = []
  for (let k = 0; k < 8; k++) {
    const id = Number(/\d+/.exec(dealInTurns(queues, lastTurnsOf(served))[0]!)![0])
    order.push(id)
    const user = id === 3 ? 'b' : 'a'
    served.splice(0, served.length, ...served.filter(one => one.id !== id), { id, user })
  }
  expect(order).toEqual([1, 3, 2, 3, 1, 3, 2, 3])
})

test('dealInTurns() remembers a user by workflows that have nothing left', () => {
  const dealt = dealInTurns(
    [queue(8, 'a', 1), queue(9, 'b', 1)],
    lastTurnsOf([
      { id: 9, user: 'b' },
      { id: 1, user: 'a' },
    ]),
  )
  expect(dealt[0]).toBe('b9.0')
})

test('dealInTurns() deals every item once, in the order of its workflow, and no user gets far ahead while others wait', () => {
  const some = fc.record({ user: fc.constantFrom('a', 'b', 'c'), n: fc.nat(12), claimed: fc.nat(3) })
  fc.assert(
    fc.property(fc.array(some, { maxLength: 8 }), list => {
      const queues = list.map(({ user, n, claimed }, index) => queue(index + 1, user, n, claimed))
      const dealt = dealInTurns(queues, NEVER)
      expect([...dealt].sort()).toEqual(queues.flatMap(one => one.items).sort())
      for (const { items } of queues) expect(dealt.filter(item => items.includes(item))).toEqual(items)
      const claimed = new Map<string, number>()
      const left = new Map<string, number>()
      for (const { contender, items } of queues) {
        claimed.set(contender.user, (claimed.get(contender.user) ?? 0) + contender.claimed)
        left.set(contender.user, (left.get(contender.user) ?? 0) + items.length)
      }
      for (const item of dealt) {
        const user = item[0]!
        const waiting = [...left].filter(([, n]) => n > 0).map(([name]) => claimed.get(name)!)
        expect(claimed.get(user)).toBe(Math.min(...waiting))
        claimed.set(user, claimed.get(user)! + 1)
        left.set(user, left.get(user)! - 1)
      }
    }),
  )
})
