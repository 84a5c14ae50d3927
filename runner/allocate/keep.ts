import type { Refusal, Reply } from '../client.ts'
import type { WorkflowSummary } from '../wire.ts'
import type { Planner } from './planner.ts'

export type KeepOptions = {
  planner: Planner
  /** How the workflow is now; asked far more often than the scheduler is. */
  summary(): Promise<Reply<WorkflowSummary>>
  /** Between two listings of the scheduler at least. */
  everyMs: number
  lookMs: number
  clock: () => number
  sleep(ms: number): Promise<void>
  /** Whether the user wants to leave. */
  isStopped(): boolean
  note(line: string): void
}

/** How a stay ended: with the workflow and nothing open any more, or because the user left. */
export type Kept = { kind: 'ended'; summary: WorkflowSummary } | { kind: 'left'; open: number }

/**
 * Sees to the plans of a workflow until it is over and nothing of them is left in the queue, or the user leaves: then what waits and
 * runs goes on by itself. A control plane that does not answer is waited for.
 */
export async function keepAllocating(options: KeepOptions): Promise<Kept> {
  try {
    return await keepLooking(options)
  } finally {
    await options.planner.leave()
  }
}

async function keepLooking({
  planner,
  summary,
  everyMs,
  lookMs,
  clock,
  sleep,
  isStopped,
  note,
}: KeepOptions): Promise<Kept> {
  let nextAtMs = 0
  let open = 0
  let hadReady = false
  let isOver = false
  let trouble: string | undefined
  const tell = (refusal: Refusal): void => {
    if (trouble !== refusal.message) note(`The control plane does not answer: ${refusal.message}`)
    trouble = refusal.message
  }
  for (; !isStopped(); await sleep(lookMs)) {
    const reply = await summary()
    if (!reply.ok) {
      tell(reply)
      continue
    }
    const { is_complete, jobs_by_status } = reply.value
    // A first ready job need not wait for the next round, and neither does the end.
    const hasReady = (jobs_by_status.ready ?? 0) > 0
    const isDue = clock() >= nextAtMs || (hasReady && !hadReady) || (is_complete && !isOver)
    isOver = is_complete
    hadReady = hasReady
    if (!isDue) continue
    // Half of it is left to chance, so that many planners do not ask at once.
    nextAtMs = clock() + everyMs * (1 + Math.random() / 2)
    const looked = await planner.look(isOver)
    if (!looked.ok) {
      tell(looked)
      continue
    }
    trouble = undefined
    open = looked.open
    if (isOver && open === 0) return { kind: 'ended', summary: reply.value }
  }
  return { kind: 'left', open }
}
