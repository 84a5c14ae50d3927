import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { type Turns, turnsByLooking, turnsInChain } from '../../db/turns.ts'

async function inTurn<T>(turns: Turns, work: () => Promise<T>): Promise<T> {
  const end = await turns.take()
  try {
    return await work()
  } finally {
    end()
  }
}

describe.each([
  ['turnsInChain()', turnsInChain],
  ['turnsByLooking()', turnsByLooking],
] as const)('%s', (_, create) => {
  it('lets callers in one at a time, in their order, and goes on after one that throws', async () => {
    const turns = create()
    const done: number[] = []
    let inside = 0
    const callers = Array.from({ length: 20 }, (_, k) =>
      inTurn(turns, async () => {
        expect(++inside).toBe(1)
        await sleep(1)
        inside--
        done.push(k)
        if (k === 3) throw new Error('no')
      }),
    )
    const ends = await Promise.allSettled(callers)
    expect(ends.filter(({ status }) => status === 'rejected')).toHaveLength(1)
    expect(done).toEqual(Array.from({ length: 20 }, (_, k) => k))
  })
})

describe('turnsByLooking()', () => {
  it('passes over a holder that never ends, which one that is there would have done by then', async () => {
    let now = 0
    const turns = turnsByLooking(() => now)
    const endLate = await turns.take()
    let isIn = false
    const next = turns.take().then(end => {
      isIn = true
      return end
    })
    now += 30_000
    await sleep(20)
    expect(isIn).toBe(false)
    now += 30_000
    const end = await next
    // One that comes back nevertheless ends its own turn only.
    endLate()
    let isThirdIn = false
    const third = turns.take().then(() => {
      isThirdIn = true
    })
    await sleep(20)
    expect(isThirdIn).toBe(false)
    end()
    await third
  })
})
