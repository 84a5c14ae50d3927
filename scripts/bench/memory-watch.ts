import { childrenOf, memoryMb } from './process-facts.ts'
import { spreadOf } from './statistics.ts'

export type MemoryFigures = {
  /** The most the process had while it had children. */
  peak: number
  /** Median of the last tenth of that time. */
  last: number
  /** Median of the second half of that time, divided by that of the first. */
  growth: number
  /** The most all children had together. */
  children: number
}

/** Short against anything that grows, long against the 0.1 ms that a look takes. */
const LOOK_MS = 20

/** Watches a process's memory while it has children: for a runner, while its launcher runs jobs. Stop it to learn what was seen. */
export function watchMemory(pid: number): { stop(): MemoryFigures | undefined } {
  const own: number[] = []
  let children = 0
  const timer = setInterval(() => {
    const memory = memoryMb(pid)
    const below = childrenOf(pid).map(memoryMb).filter(Number.isFinite)
    if (below.length === 0 || !Number.isFinite(memory)) return
    own.push(memory)
    children = Math.max(
      children,
      below.reduce((sum, one) => sum + one, 0),
    )
  }, LOOK_MS)
  return {
    stop() {
      clearInterval(timer)
      if (own.length < 2) return undefined
      const middle = Math.floor(own.length / 2)
      const growth = spreadOf(own.slice(middle)).median / spreadOf(own.slice(0, middle)).median
      const last = spreadOf(own.slice(Math.floor(own.length * 0.9))).median
      return { peak: spreadOf(own).most, last, growth, children }
    },
  }
}
