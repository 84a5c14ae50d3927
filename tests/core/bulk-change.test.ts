import { describe, expect, it } from 'vitest'
import { relabel, touches } from '../../api/core/bulk-change.ts'
import { JOB_STATUSES } from '../../api/core/status.ts'

describe('touches()', () => {
  const touched = (operation: Parameters<typeof touches>[0]) =>
    JOB_STATUSES.filter(status => touches(operation, status))

  it('cancels what has not ended', () => {
    expect(touched('cancel')).toEqual(['uninitialized', 'blocked', 'ready', 'pending', 'running', 'pending_failed'])
  })

  it('resets all but what is reset', () => {
    expect(touched('reset')).toEqual(JOB_STATUSES.filter(status => status !== 'uninitialized'))
  })

  it('retries what has failed, and takes no job from its runner', () => {
    expect(touched('retry')).toEqual(expect.arrayContaining(['failed', 'terminated']))
    expect(touched('retry')).not.toContain('running')
    expect(touched('retry')).not.toContain('completed')
  })

  it('changes priority and labels of any', () => {
    expect(touched('priority')).toEqual(JOB_STATUSES)
    expect(touched('labels')).toEqual(JOB_STATUSES)
  })
})

describe('relabel()', () => {
  it('gives a sorted set', () => {
    expect(relabel('', { set: ['gpu', 'big', 'gpu'] })).toBe('big,gpu')
    expect(relabel('big,gpu', { set: [] })).toBe('')
    expect(relabel('big,gpu', { add: ['a', 'gpu'], remove: ['big', 'none'] })).toBe('a,gpu')
    expect(relabel('', { add: [], remove: ['big'] })).toBe('')
  })
})
