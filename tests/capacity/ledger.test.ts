import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Capacity, createLedger, type Grant } from '../../runner/capacity/ledger.ts'

const NODE: Capacity = { cores: [0, 1, 4, 5], memoryBytes: 100, gpus: ['0', '1'] }

describe('createLedger() in resources mode', () => {
  test('lends low cores first and takes them back in order', () => {
    const ledger = createLedger(NODE)
    const first = ledger.reserve({ cpus: 2, memoryBytes: 10, gpus: 1 })!
    expect(first).toEqual({ cores: [0, 1], gpus: ['0'], memoryBytes: 10 })
    expect(ledger.reserve({ cpus: 1, memoryBytes: 0, gpus: 0 })!.cores).toEqual([4])
    ledger.release(first)
    expect(ledger.reserve({ cpus: 3, memoryBytes: 0, gpus: 0 })!.cores).toEqual([0, 1, 5])
  })

  test.each([
    { cpus: 5, memoryBytes: 0, gpus: 0 },
    { cpus: 1, memoryBytes: 101, gpus: 0 },
    { cpus: 1, memoryBytes: 0, gpus: 3 },
  ])('takes nothing when a part does not fit: %o', need => {
    const ledger = createLedger(NODE)
    expect(ledger.reserve(need)).toBeUndefined()
    expect(ledger.fitsEmpty(need)).toBe(false)
    expect(ledger.free()).toEqual(ledger.total)
  })

  test('throws when a grant is released twice', () => {
    const ledger = createLedger(NODE)
    const grant = ledger.reserve({ cpus: 1, memoryBytes: 0, gpus: 0 })!
    ledger.release(grant)
    expect(() => ledger.release(grant)).toThrow('not held')
  })
})

describe('createLedger() inherit and handOver', () => {
  test('pass a part of a grant on and give back the rest', () => {
    const ledger = createLedger(NODE)
    const first = ledger.reserve({ cpus: 3, memoryBytes: 60, gpus: 2 })!
    const follower = ledger.inherit(first, { cpus: 1, memoryBytes: 20, gpus: 1 })!
    expect(ledger.free()).toMatchObject({ cpus: 1, memoryBytes: 40, gpus: 0 })
    ledger.handOver(first, follower)
    expect(ledger.free()).toMatchObject({ cpus: 3, memoryBytes: 80, gpus: 1 })
    ledger.release(follower)
    expect(ledger.free()).toEqual(ledger.total)
  })

  test('refuse a follower that is larger than the grant', () => {
    const ledger = createLedger(NODE)
    const first = ledger.reserve({ cpus: 1, memoryBytes: 60, gpus: 0 })!
    expect(ledger.inherit(first, { cpus: 2, memoryBytes: 0, gpus: 0 })).toBeUndefined()
    expect(ledger.inherit(first, { cpus: 1, memoryBytes: 61, gpus: 0 })).toBeUndefined()
    expect(ledger.inherit(first, { cpus: 1, memoryBytes: 0, gpus: 1 })).toBeUndefined()
  })

  test('leave nothing behind for a follower that is called back', () => {
    const ledger = createLedger(NODE)
    const first = ledger.reserve({ cpus: 1, memoryBytes: 1, gpus: 0 })!
    ledger.inherit(first, { cpus: 1, memoryBytes: 1, gpus: 0 })
    ledger.release(first)
    expect(ledger.free()).toEqual(ledger.total)
  })

  test('let a slot be inherited whatever the follower asks for in queue-depth mode', () => {
    const ledger = createLedger({ ...NODE, slots: 1 })
    const first = ledger.reserve({ cpus: 1, memoryBytes: 0, gpus: 1 })!
    const follower = ledger.inherit(first, { cpus: 64, memoryBytes: 1000, gpus: 0 })!
    ledger.handOver(first, follower)
    expect(ledger.free()).toMatchObject({ slots: 0, gpus: 2 })
  })
})

describe('createLedger() in queue-depth mode', () => {
  test('numbers the slots from 1; a follower has the number of the one before it', () => {
    const ledger = createLedger({ ...NODE, slots: 2 })
    const need = { cpus: 1, memoryBytes: 0, gpus: 0 }
    const first = ledger.reserve(need)!
    const second = ledger.reserve(need)!
    expect([first.slot, second.slot]).toEqual([1, 2])
    const follower = ledger.inherit(second, need)!
    ledger.handOver(second, follower)
    ledger.release(first)
    expect([follower.slot, ledger.reserve(need)!.slot]).toEqual([2, 1])
  })

  test('counts slots only, whatever is asked for', () => {
    const ledger = createLedger({ ...NODE, slots: 2 })
    const huge = { cpus: 64, memoryBytes: 10_000, gpus: 0 }
    expect(ledger.reserve(huge)).toEqual({ cores: [], gpus: [], memoryBytes: 0, slot: 1 })
    expect(ledger.reserve(huge)).toBeDefined()
    expect(ledger.reserve(huge)).toBeUndefined()
    expect(ledger.free().slots).toBe(0)
  })

  test('never lends one GPU to two jobs', () => {
    const ledger = createLedger({ ...NODE, slots: 8 })
    const need = { cpus: 1, memoryBytes: 0, gpus: 1 }
    expect(ledger.reserve(need)!.gpus).toEqual(['0'])
    expect(ledger.reserve(need)!.gpus).toEqual(['1'])
    expect(ledger.reserve(need)).toBeUndefined()
  })
})

const step = fc.oneof(
  fc.record({
    kind: fc.constant('reserve' as const),
    need: fc.record({ cpus: fc.nat(5), memoryBytes: fc.nat(60), gpus: fc.nat(3) }),
  }),
  fc.record({ kind: fc.constant('release' as const), which: fc.nat(20) }),
  fc.record({
    kind: fc.constant('follow' as const),
    which: fc.nat(20),
    need: fc.record({ cpus: fc.nat(3), memoryBytes: fc.nat(40), gpus: fc.nat(2) }),
  }),
)

test.each([undefined, 3])('createLedger() never oversubscribes nor shares an id (slots %s)', slots => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), steps => {
      const ledger = createLedger({ ...NODE, slots })
      const held: Grant[] = []
      for (const action of steps) {
        if (action.kind === 'reserve') {
          const grant = ledger.reserve(action.need)
          if (grant !== undefined) held.push(grant)
          if (grant !== undefined && slots === undefined) expect(grant.cores).toHaveLength(action.need.cpus)
        } else if (held.length > 0) {
          const index = action.which % held.length
          const [grant] = held.splice(index, 1) as [Grant]
          const follower = action.kind === 'follow' ? ledger.inherit(grant, action.need) : undefined
          if (follower === undefined) ledger.release(grant)
          else {
            ledger.handOver(grant, follower)
            held.push(follower)
          }
        }

        const cores = held.flatMap(grant => grant.cores)
        const gpus = held.flatMap(grant => grant.gpus)
        expect(new Set(cores).size).toBe(cores.length)
        expect(new Set(gpus).size).toBe(gpus.length)
        expect(held.reduce((sum, grant) => sum + grant.memoryBytes, 0)).toBeLessThanOrEqual(NODE.memoryBytes)
        if (slots !== undefined) expect(held.length).toBeLessThanOrEqual(slots)
        expect(ledger.free().cpus).toBe(NODE.cores.length - cores.length)
        expect(ledger.free().gpus).toBe(NODE.gpus.length - gpus.length)
      }
      for (const grant of held) ledger.release(grant)
      expect(ledger.free()).toEqual(ledger.total)
    }),
  )
})
