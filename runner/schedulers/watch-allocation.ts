import { hostSystem } from '../capacity/system.ts'
import type { Execute } from '../job-threads/finalisers.ts'
import { ownEnd } from './end-of-allocation.ts'
import { findInside } from './inside.ts'
import { createLossWatch } from './loss.ts'

/** What schedulers send ahead of the end; without a handler any of them ends a process. */
const WARNINGS = ['SIGUSR1', 'SIGUSR2', 'SIGXCPU'] as const

type AllocationWatch = {
  /** See `LossWatch.judge`. */
  judge(execute: Execute): Execute
  release(): void
}

/** Listens for what the scheduler of this process's allocation says; `onWarning` when the end is near. Outside of one it does nothing. */
export function watchAllocation(onWarning: () => void): AllocationWatch {
  const inside = findInside(hostSystem())
  if (inside === undefined) return { judge: execute => execute, release() {} }
  const loss = createLossWatch(ownEnd(inside), Date.now)
  const onWarned = (): void => {
    loss.warned()
    onWarning()
  }
  const onEnd = (): void => loss.warned()
  for (const signal of WARNINGS) process.on(signal, onWarned)
  process.on('SIGTERM', onEnd)
  return {
    judge: loss.judge,
    release() {
      for (const signal of WARNINGS) process.off(signal, onWarned)
      process.off('SIGTERM', onEnd)
    },
  }
}
