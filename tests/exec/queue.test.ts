import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createLedger, type Grant } from '../../runner/capacity/ledger.ts'
import { GrantQueue, OVERTAKEN_AT_MOST_MS } from '../../runner/exec/queue.ts'

const need = (cpus: number, gpus = 0) => ({ cpus, gpus, memoryBytes: 0 })
const nodeOf = (cpus: number, gpus = 0) =>
  createLedger({ cores: [...Array(cpus).keys()], memoryBytes: 1, gpus: [...Array(gpus).keys()].map(String) })

test('lend() serves in the order of requests', () => {
  const queue = new GrantQueue<string>(nodeOf(2))
  queue.add('a', need(1), 0)
  queue.add('b', need(1), 0)
  queue.add('c', need(1), 0)
  expect(queue.lend(0).map(({ who, grant }) => [who, grant.cores])).toEqual([
    ['a', [0]],
    ['b', [1]],
  ])
  expect(queue.waiters.map(({ who }) => who)).toEqual(['c'])
})

test('lend() lets who fits pass who does not, all or nothing', () => {
  const queue = new GrantQueue<string>(nodeOf(4))
  queue.add('half', need(3), 0)
  queue.add('whole', need(4), 0)
  queue.add('one', need(1), 0)
  expect(queue.lend(0).map(({ who }) => who)).toEqual(['half', 'one'])
})

test('lend() lets nobody pass who has waited for the bound', () => {
  const ledger = nodeOf(4)
  const queue = new GrantQueue<string>(ledger)
  queue.add('runs', need(1), 0)
  const [{ grant }] = queue.lend(0) as [{ who: string; grant: Grant }]
  queue.add('whole', need(4), 0)
  queue.add('one', need(1), OVERTAKEN_AT_MOST_MS - 1)
  expect(queue.lend(OVERTAKEN_AT_MOST_MS - 1).map(({ who }) => who)).toEqual(['one'])
  queue.add('two', need(1), OVERTAKEN_AT_MOST_MS)
  expect(queue.isOverdue(OVERTAKEN_AT_MOST_MS)).toBe(true)
  expect(queue.lend(OVERTAKEN_AT_MOST_MS)).toEqual([])
  ledger.release(grant)
  expect(queue.lend(OVERTAKEN_AT_MOST_MS)).toEqual([])
})

test('withdraw() takes a request back, and who was behind it may pass', () => {
  const queue = new GrantQueue<string>(nodeOf(1))
  queue.add('never', need(2), 0)
  queue.add('one', need(1), 0)
  expect(queue.lend(OVERTAKEN_AT_MOST_MS)).toEqual([])
  queue.withdraw('never')
  expect(queue.lend(OVERTAKEN_AT_MOST_MS).map(({ who }) => who)).toEqual(['one'])
})

test('S83 whatever comes and ends, no core is lent twice, nobody starves, and all are served', () => {
  const request = fc.record({
    cpus: fc.integer({ min: 1, max: 8 }),
    gpus: fc.integer({ min: 0, max: 2 }),
    lasts: fc.integer({ min: 1, max: 40 }),
  })
  fc.assert(
    fc.property(fc.array(fc.tuple(request, fc.integer({ min: 0, max: 30 })), { maxLength: 60 }), comings => {
      const ledger = nodeOf(8, 2)
      const queue = new GrantQueue<number>(ledger)
      const running = new Map<number, { grant: Grant; untilMs: number }>()
      const servedAtMs = new Map<number, number>()
      let now = 0
      const step = (): void => {
        for (const [who, { grant, untilMs }] of running)
          if (untilMs <= now) {
            ledger.release(grant)
            running.delete(who)
          }
        for (const { who, grant } of queue.lend(now)) {
          running.set(who, { grant, untilMs: now + 50 * comings[who]![0].lasts })
          servedAtMs.set(who, now)
        }
        const cores = [...running.values()].flatMap(({ grant }) => grant.cores)
        const gpus = [...running.values()].flatMap(({ grant }) => grant.gpus)
        expect(new Set(cores).size).toBe(cores.length)
        expect(new Set(gpus).size).toBe(gpus.length)
        expect(cores.length).toBeLessThanOrEqual(8)
        now += 50
      }
      comings.forEach(([wanted, pause], who) => {
        queue.add(who, need(wanted.cpus, wanted.gpus), now)
        for (let i = 0; i < pause; i++) step()
      })
      // Everybody before and within the bound runs at most 2 s after one another.
      for (let i = 0; queue.waiters.length > 0; i++) {
        expect(i).toBeLessThan(60 * 50)
        step()
      }
      expect(servedAtMs.size).toBe(comings.length)
    }),
    { numRuns: 200 },
  )
})
