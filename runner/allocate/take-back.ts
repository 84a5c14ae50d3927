import type { PassContext } from './context.ts'
import type { Judged } from './judge.ts'
import { change } from './record.ts'
import type { Surplus } from './types.ts'

/** Cancels queued elements that nobody has needed for long enough; counts those that were. */
export async function takeBack(
  surplus: readonly Surplus[],
  judged: readonly Judged[],
  context: PassContext,
): Promise<number> {
  let canceled = 0
  for (const { name, elements, cancel } of surplus) {
    const one = judged.find(({ row }) => row.name === name)!
    const { row, queued, indices } = one
    const isUnneeded = elements > 0
    if (isUnneeded !== (row.unneeded_since !== undefined)) await change(row.id, { unneeded: isUnneeded }, context)
    if (!cancel || row.scheduler_id === undefined) continue
    // Those that wait longest start first: the last ones are the least missed.
    const last = [...indices].sort((a, b) => b - a).slice(0, elements)
    const which = elements >= queued ? ({ kind: 'queued' } as const) : ({ kind: 'elements', indices: last } as const)
    if (which.kind === 'elements' && last.length === 0) continue
    const outcome = await context.scheduler.cancel(row.scheduler_id, which)
    if (outcome.kind === 'done') canceled += elements
    const words = outcome.kind === 'done' ? 'no ready job needs them' : `they stay: ${outcome.message}`
    context.note(`Allocation ${row.scheduler_id}: ${elements} queued elements given up, ${words}`)
  }
  return canceled
}
