import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Gathered } from '../../runner/launcher/gather.ts'
import { neverRan } from '../../runner/launcher/outcome.ts'

const start = (tag: number) => ({ tag, pid: 1, startedAtMs: 0 })
const exit = (tag: number) => neverRan(tag, 'ENOENT', 'exec')

function listen() {
  const told: string[] = []
  const note = (what: string) => (events: { tag: number }[]) => told.push(`${what} ${events.map(({ tag }) => tag)}`)
  const gathered = new Gathered({ onStarted: note('started'), onExited: note('exited'), onLost: () => {} })
  return { told, gathered }
}

describe('Gathered', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  test('tells what came within a few milliseconds at once, starts before exits, and each once', () => {
    const { told, gathered } = listen()
    gathered.add([start(1)], [])
    vi.advanceTimersByTime(5)
    gathered.add([start(2)], [exit(1)])
    expect(told).toEqual([])
    vi.advanceTimersByTime(10)
    expect(told).toEqual(['started 1,2', 'exited 1'])
    vi.advanceTimersByTime(1000)
    expect(told).toHaveLength(2)
  })

  test('tell() does not wait, and what comes later waits anew', () => {
    const { told, gathered } = listen()
    gathered.add([], [exit(1)])
    gathered.tell()
    expect(told).toEqual(['exited 1'])
    vi.advanceTimersByTime(10)
    gathered.add([], [exit(2)])
    vi.advanceTimersByTime(14)
    expect(told).toEqual(['exited 1'])
    vi.advanceTimersByTime(1)
    expect(told).toEqual(['exited 1', 'exited 2'])
  })
})
