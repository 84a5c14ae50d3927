import type { Subject } from '../../db/access-control.ts'
import { exchangeJobs } from '../../db/exchange.ts'
import { findUsable } from '../../db/served-workflows.ts'
import type { Db, Unit } from '../../db/unit.ts'
import { toStarted } from '../contract/completion.ts'
import type { Completion, Started } from '../core/completion.ts'
import { type Judged, retryReply, sortEntries } from './exchange.ts'

/** What a runner that serves many workflows tells of its jobs in one request. */
export type Told = {
  /** Those that are there, each with its part. */
  workflows: readonly Part[]
  /** Entries that cannot be read, or whose workflow is gone. */
  refused: readonly Judged[]
}

/** What is told of one workflow; `positions` are the places of its completions among all entries. */
type Part = { workflowId: number; completions: Completion[]; positions: number[]; started: Started[] }

/** What became of it. */
export type Applied = {
  verdicts: readonly Judged[]
  retries: readonly (ReturnType<typeof retryReply> & { workflow_id: number })[]
  /** A cascade goes on: call drainFrontier. */
  leftOver: boolean
}

export const NOTHING_TOLD: Applied = { verdicts: [], retries: [], leftOver: false }

type Entries = {
  completions?: readonly unknown[] | null
  started?: readonly { workflow_id: number; job_id: number; claim_token: string; start_time: number }[] | null
}

/** Sorts entries by workflow. What is of a workflow that the caller may not use, any more perhaps, is as if that were gone. */
export async function readTold(db: Db, { completions, started }: Entries, subject: Subject | undefined): Promise<Told> {
  const sorted = sortEntries(completions ?? [])
  const parts = new Map<number, Part>()
  const partOf = (workflowId: number): Part => {
    const part = parts.get(workflowId) ?? { workflowId, completions: [], positions: [], started: [] }
    parts.set(workflowId, part)
    return part
  }
  sorted.completions.forEach((completion, at) => {
    const part = partOf(completion.result.workflow_id)
    part.completions.push(completion)
    part.positions.push(sorted.positions[at]!)
  })
  for (const entry of started ?? []) partOf(entry.workflow_id).started.push(toStarted(entry))

  const ids = [...parts.keys()]
  const usable = ids.length === 0 ? [] : await db.read(() => findUsable(ids, subject))
  const there = new Set(usable.map(({ id }) => id))
  const gone = [...parts.values()].filter(part => !there.has(part.workflowId))
  return {
    workflows: [...parts.values()].filter(part => there.has(part.workflowId)),
    refused: [...sorted.refused, ...gone.flatMap(refuseAll)],
  }
}

const refuseAll = (part: Part): Judged[] => part.completions.map((_, at) => refusalOf(part, at))

const refusalOf = ({ workflowId, completions, positions }: Part, at: number): Judged => ({
  index: positions[at]!,
  job_id: completions[at]!.jobId,
  verdict: { code: 'not_found', message: `Workflow not found with ID: ${workflowId}` },
})

/** Applies what was told, workflow by workflow, inside the caller's transaction. A verdict per entry, in the order given. */
export function* applyTold(
  { workflows, refused }: Told,
  options: { now: number; random: number; secret: string },
): Unit<Applied> {
  const verdicts = [...refused]
  const retries: Applied['retries'][number][] = []
  let leftOver = false
  for (const part of workflows) {
    const { workflowId, completions, positions, started } = part
    const done = yield* exchangeJobs(workflowId, { completions, started, secret: options.secret }, options)
    if (done === undefined) {
      // Deleted in this very moment.
      verdicts.push(...refuseAll(part))
      continue
    }
    const { batch } = done
    verdicts.push(
      ...batch.verdicts.map((verdict, at) => ({ index: positions[at]!, job_id: completions[at]!.jobId, verdict })),
    )
    retries.push(...batch.retries.map(retry => ({ ...retryReply(retry), workflow_id: workflowId })))
    leftOver ||= batch.leftOver
  }
  return { verdicts: verdicts.sort((a, b) => a.index - b.index), retries, leftOver }
}
