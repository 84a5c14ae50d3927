import { expect, it } from 'vitest'
import {
  canMove,
  isComplete,
  isJobStatus,
  JOB_STATUSES,
  type JobStatus,
  type Move,
  statusWord,
} from '../../api/core/status.ts'

/** The contract's table (notes.md 9.7 and 18), written once more by hand: from which statuses each move starts, and where it ends. */
const OPEN: JobStatus[] = ['uninitialized', 'blocked', 'ready', 'pending', 'running', 'pending_failed']
const COMPLETE: JobStatus[] = ['completed', 'failed', 'canceled', 'terminated']
const ALL: JobStatus[] = [...OPEN, ...COMPLETE, 'disabled']
const TABLE: Record<Move, [from: JobStatus[], to: JobStatus[]]> = {
  initialize: [ALL.filter(word => word !== 'disabled'), ['uninitialized', 'blocked', 'ready']],
  disable: [['uninitialized'], ['disabled']],
  unblock: [['blocked'], ['ready', 'canceled']],
  claim: [['ready'], ['pending', 'running']],
  start: [['pending'], ['running']],
  release: [['pending', 'running'], ['ready']],
  rescue: [
    ['pending', 'running'],
    ['ready', 'failed'],
  ],
  complete: [OPEN, [...COMPLETE, 'pending_failed']],
  salvage: [['ready'], ['completed']],
  cancel_workflow: [['pending', 'running'], ['canceled']],
  retry: [['running', 'failed', 'terminated'], ['ready']],
  reset: [ALL, ['uninitialized']],
  manage: [ALL, [...OPEN, 'disabled']],
}

it.each(Object.keys(TABLE) as Move[])('S13 canMove(%s) allows these pairs of statuses and no other', move => {
  const [from, to] = TABLE[move]
  const pairs = JOB_STATUSES.flatMap(a => JOB_STATUSES.map(b => [a, b] as const))
  const allowed = pairs.filter(([a, b]) => canMove(move, a, b))
  expect(allowed).toEqual(pairs.filter(([a, b]) => from.includes(a) && to.includes(b)))
})

it('isComplete() is true of exactly the statuses that release dependants', () => {
  expect(JOB_STATUSES.filter(isComplete)).toEqual(COMPLETE)
})

it('statusWord() names every stored number and throws on others; isJobStatus() knows no inherited names', () => {
  expect(JOB_STATUSES.map((_, number) => statusWord(number))).toEqual([...JOB_STATUSES])
  for (const bad of [-1, 11, 0.5, Number.NaN]) expect(() => statusWord(bad)).toThrow('Cannot name a job status')
  expect(['ready', 'Ready', 'toString', ''].map(isJobStatus)).toEqual([true, false, false, false])
})
