import { expect, test } from 'vitest'
import type { ControlOutcome } from '../../runner/schedulers/types.ts'
import { cancelAllocations } from '../../runner/slurm/cancel-allocations.ts'
import { createFakeClient } from '../runner/fake-client.ts'

const row = (id: number, status: string, scheduler_type = 'slurm') => ({
  id,
  scheduler_id: id * 10,
  scheduler_type,
  status,
})

function over(rows: ReturnType<typeof row>[]) {
  return createFakeClient((method, path) => {
    if (method !== 'GET') return {}
    const status = /status=(\w+)/.exec(path)![1]
    return { items: rows.filter(one => one.status === status) }
  })
}

test('cancelAllocations() cancels all that are open, and keeps the record of one that Slurm does not answer for', async () => {
  const { client, sent } = over([row(1, 'pending'), row(2, 'active'), row(3, 'complete'), row(4, 'active', 'pbs')])
  const outcomes: Record<string, ControlOutcome> = {
    10: { kind: 'done' },
    20: { kind: 'unknown', message: 'no answer' },
  }
  const scheduler = { cancel: async (id: string) => outcomes[id]! }
  expect(await cancelAllocations(1, 'all', client, scheduler)).toEqual({
    ids: [10],
    troubles: ['allocation 20: no answer'],
  })
  expect(sent.filter(one => one.method === 'PUT')).toMatchObject([
    { path: '/scheduled_compute_nodes/1', body: { status: 'canceled' } },
  ])
})

test('cancelAllocations() leaves what runs alone when only those that wait are meant', async () => {
  const { client } = over([row(1, 'pending'), row(2, 'active')])
  const asked: string[] = []
  const scheduler = {
    cancel: async (id: string, { kind }: { kind: string }): Promise<ControlOutcome> => {
      asked.push(`${id} ${kind}`)
      return { kind: 'done' }
    },
  }
  expect((await cancelAllocations(1, 'queued', client, scheduler)).ids).toEqual([10])
  expect(asked).toEqual(['10 queued'])
})
