import fc from 'fast-check'
import { expect, it } from 'vitest'
import { networkOf } from '../../../api/limits/network.ts'
import { createRateLimit } from '../../../api/limits/rate.ts'

it('createRateLimit() lets a burst pass, then one after the other, each key by itself', () => {
  let now = 0
  const limit = createRateLimit({ burst: 3, perSecond: 2 }, () => now)
  expect([limit.take('a'), limit.take('a'), limit.take('a')]).toEqual([0, 0, 0])
  expect(limit.take('a')).toBe(500)
  expect([limit.wait('b'), limit.take('b')]).toEqual([0, 0])
  now = 499
  expect(limit.take('a')).toBe(1)
  now = 500
  expect([limit.take('a'), limit.take('a')]).toEqual([0, 500])
  now = 60_000
  expect([limit.take('a'), limit.take('a'), limit.take('a'), limit.take('a')]).toEqual([0, 0, 0, 500])
})

it('createRateLimit() never lets more pass than burst and rate allow, whatever the clock does', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -5_000, max: 5_000 }), { maxLength: 60 }), steps => {
      let now = 100_000
      let latest = now
      let passed = 0
      const limit = createRateLimit({ burst: 4, perSecond: 1 }, () => now)
      for (const step of steps) {
        now += step
        latest = Math.max(latest, now)
        const waitMs = limit.take('k')
        if (waitMs === 0) passed++
        // Nobody is shut out for longer than a full burst takes.
        expect(waitMs).toBeLessThanOrEqual(4_000)
      }
      const back = steps.filter(step => step < 0).reduce((sum, step) => sum - step, 0)
      expect(passed).toBeLessThanOrEqual(4 + Math.ceil((latest - 100_000 + back) / 1_000))
    }),
  )
})

it.each([
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['2001:db8:0:1:aaaa::1', '2001:db8:0:1::/64'],
  ['2001:DB8::1', '2001:db8:0:0::/64'],
  ['2001:0db8:0000:0001:2:3:4:5', '2001:db8:0:1::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::', 'fe80:0:0:0::/64'],
])('networkOf() counts %s as %s', (address, network) => {
  expect(networkOf(address)).toBe(network)
})
