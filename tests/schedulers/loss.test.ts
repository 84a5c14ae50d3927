import { describe, expect, it } from 'vitest'
import type { EndReason } from '../../runner/attempt.ts'
import type { Execute, FinaliseTask } from '../../runner/job-threads/finalisers.ts'
import { createLossWatch } from '../../runner/schedulers/loss.ts'

/** The reasons that tasks have when they are executed. */
function judged(endsAtMs?: number) {
  const reasons: (EndReason | undefined)[] = []
  let nowMs = 0
  const watch = createLossWatch(endsAtMs, () => nowMs, 10)
  const execute = watch.judge((task => {
    reasons.push(task.reason)
    return { error: '' }
  }) satisfies Execute)
  return {
    warnAt(ms: number) {
      nowMs = ms
      watch.warned()
    },
    async reasonOf(
      end: { signal?: number; code?: number; exitedAtMs: number },
      reason?: EndReason,
      meanwhile = () => {},
    ) {
      const outcome = execute({ end, reason } as unknown as FinaliseTask)
      meanwhile()
      await outcome
      return reasons.at(-1)
    },
  }
}

const [TERM, SEGV] = [15, 11]

describe('createLossWatch()', () => {
  it.each([9, 10, 12, 15, 24])(
    'takes a death by signal %s near a warning for a loss of the allocation',
    async signal => {
      const watch = judged()
      watch.warnAt(100_000)
      expect(await watch.reasonOf({ signal, exitedAtMs: 95_000 })).toBe('stopped')
      expect(await watch.reasonOf({ code: 128 + signal, exitedAtMs: 160_000 })).toBe('stopped')
    },
  )

  it('leaves what died long before or after, otherwise, or for a reason that is known', async () => {
    const watch = judged()
    watch.warnAt(100_000)
    expect(await watch.reasonOf({ signal: TERM, exitedAtMs: 94_999 })).toBeUndefined()
    expect(await watch.reasonOf({ signal: TERM, exitedAtMs: 160_001 })).toBeUndefined()
    expect(await watch.reasonOf({ signal: SEGV, exitedAtMs: 100_000 })).toBeUndefined()
    expect(await watch.reasonOf({ code: 1, exitedAtMs: 100_000 })).toBeUndefined()
    expect(await watch.reasonOf({ signal: TERM, exitedAtMs: 100_000 }, 'oom')).toBe('oom')
  })

  it('waits a moment for the warning, since the job often dies first', async () => {
    const watch = judged()
    expect(await watch.reasonOf({ signal: TERM, exitedAtMs: 99_990 }, undefined, () => watch.warnAt(100_000))).toBe(
      'stopped',
    )
    expect(await judged().reasonOf({ signal: TERM, exitedAtMs: 99_990 })).toBeUndefined()
  })

  it('knows the end of the walltime without a warning', async () => {
    expect(await judged(100_000).reasonOf({ signal: 9, exitedAtMs: 101_000 })).toBe('stopped')
  })
})
