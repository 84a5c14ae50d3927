import { expect, test } from 'vitest'
import { createClaimBook } from '../../runner/start/claim-book.ts'
import type { ClaimedJob } from '../../runner/wire.ts'

const claimed = (id: number, workflow_id: number): ClaimedJob & { compute_node_id: number } => ({
  id,
  workflow_id,
  compute_node_id: workflow_id * 10,
  name: `job ${id}`,
  command: 'true',
  status: 'running',
  attempt_id: 1,
  claim_token: `t${id}`,
  claimed_at: 0,
  resource_requirements: { num_cpus: 1, num_gpus: 0, memory_bytes: 1, runtime_seconds: 1 },
})

test('createClaimBook() knows where a job belongs until it is settled', () => {
  const book = createClaimBook()
  book.note([claimed(1, 3), claimed(2, 4)])
  expect(book.placeOf(2)).toMatchObject({ workflow_id: 4, compute_node_id: 40 })
  expect(book.workflows()).toEqual(new Set([3, 4]))
  book.forget([2])
  expect(book.placeOf(2)).toBeUndefined()
  expect(book.claims()).toEqual([{ job_id: 1, claim_token: 't1', workflow_id: 3, compute_node_id: 30 }])
})

test('turns() lists workflows in the order of their last turns, and not more than are worth sending', () => {
  const book = createClaimBook()
  for (const id of [1, 2, 3]) book.note([claimed(id, id)])
  book.note([claimed(9, 1)])
  expect(book.turns()).toEqual([2, 3, 1])
  for (let id = 10; id < 400; id++) book.note([claimed(id, id)])
  expect(book.turns()).toHaveLength(256)
  expect(book.turns().at(-1)).toBe(399)
})
