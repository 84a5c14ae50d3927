import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Policy } from '../../runner/allocate/types.ts'
import { runWorld, type SimulatedCluster, type SimulatedJob } from './world.ts'

const GIB = 2 ** 30
const HOUR = 3600
/** With these, an imagined workflow whose every job had to wait for a request of its own would be done long ago. */
const MOST_SECONDS = 60 * 24 * HOUR

const jobArbitrary = fc.record({
  cpus: fc.integer({ min: 1, max: 4 }),
  memoryBytes: fc.integer({ min: 1, max: 8 }).map(gib => gib * GIB),
  gpus: fc.constantFrom(0, 0, 0, 1),
  runtimeSeconds: fc.constantFrom(1, 60, 300, 1_200, 3_000, 9_000),
  /** Jobs ask for more time than they need. */
  part: fc.integer({ min: 1, max: 100 }),
  nodes: fc.constantFrom(1, 1, 1, 1, 1, 2),
  waitsFor: fc.array(fc.nat(), { maxLength: 2 }),
})

const jobsArbitrary = fc.array(jobArbitrary, { minLength: 1, maxLength: 30 }).map(rows =>
  rows.map(
    ({ waitsFor, part, ...row }, index): SimulatedJob => ({
      ...row,
      lastsSeconds: Math.max(1, (row.runtimeSeconds * part) / 100),
      after: index === 0 ? [] : [...new Set(waitsFor.map(other => other % index))],
    }),
  ),
)

const clusterArbitrary: fc.Arbitrary<SimulatedCluster> = fc.record({
  queueSeconds: fc.array(fc.constantFrom(0, 30, 600, 7_200), { minLength: 1, maxLength: 4 }),
  refuses: fc.array(fc.boolean(), { minLength: 1, maxLength: 4 }).map(refusals => [...refusals, false]),
  idleSeconds: fc.constantFrom(60, 90, 600),
})

const policyArbitrary: fc.Arbitrary<Policy> = fc
  .record({
    queues: fc.constantFrom([{ name: 'all' }], [{ name: 'short', walltimeMostSeconds: 2 * HOUR }, { name: 'long' }]),
    nodesMost: fc.integer({ min: 2, max: 12 }),
    requestMost: fc.integer({ min: 2, max: 6 }),
    requestLeast: fc.constantFrom(1, 1, 2),
    backlog: fc.integer({ min: 1, max: 3 }),
    utilizationLeast: fc.constantFrom(0, 0.5),
    waitMostSeconds: fc.constantFrom(0, 600),
    finishWithinSeconds: fc.constantFrom(undefined, 600),
    cancelAfterSeconds: fc.constantFrom(0, 60),
    submitsPerMinute: fc.integer({ min: 1, max: 4 }),
    nodeSecondsPerDay: fc.constantFrom(Number.POSITIVE_INFINITY, 40 * HOUR),
    node: fc.constantFrom({}, { cpus: 8, memoryBytes: 16 * GIB, gpus: 2 }),
  })
  .map(policy => ({ ...policy, walltimesSeconds: [HOUR, 4 * HOUR], labels: [], spansNodes: true }))

test('plan() asks for ready work only, keeps every cap, starves nobody and gives all back, in 1,000 workloads', () => {
  let granted = 0
  let used = 0
  fc.assert(
    fc.property(jobsArbitrary, clusterArbitrary, policyArbitrary, (jobs, cluster, policy) => {
      const world = runWorld(jobs, cluster, policy, MOST_SECONDS)
      expect(world.wrong).toEqual([])
      expect(world.ended).toBe(true)
      granted += world.granted
      used += world.used
    }),
    { numRuns: 1_000 },
  )
  // Idle time before the release, jobs shorter than they said, nodes too large for what is left: stated in docs/allocations.md.
  console.log(`waste: ${(100 * (1 - used / granted)).toFixed(1)} % of the node time`)
  expect(used / granted).toBeGreaterThan(0.1)
}, 60_000)
