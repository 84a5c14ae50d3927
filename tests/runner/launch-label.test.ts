import fc from 'fast-check'
import { expect, test } from 'vitest'
import { labelOf, parseLabel } from '../../runner/launch-label.ts'

const id = fc.nat()

test('parseLabel() reads back what labelOf() writes, whatever the token holds', () => {
  const attempt = fc.record({
    workflowId: id,
    jobId: id,
    runId: id,
    attemptId: id,
    computeNodeId: id,
    claimToken: fc.string({ minLength: 1 }),
  })
  fc.assert(
    fc.property(attempt, one => {
      expect(parseLabel(labelOf(one))).toEqual(one)
    }),
  )
})

test.each(['', 'job 1', '1.2.3.4.5', '1.2.3.4.5.', '1.x.3.4.5.t'])('parseLabel() gives nothing for %j', label =>
  expect(parseLabel(label)).toBeUndefined(),
)
