import type { ListedElement, Verdict } from '../types.ts'

/** What is asked of condor_q for each process. */
export const ATTRIBUTES = 'ClusterId,ProcId,JobStatus,HoldReason,HoldReasonCode,JobBatchName'

const STATES: Record<number, Verdict> = { 1: 'queued', 2: 'running', 3: 'gone', 4: 'gone', 6: 'running', 7: 'running' }
const WORDS = ['', 'Idle', 'Running', 'Removed', 'Completed', 'Held', 'TransferringOutput', 'Suspended']
const HELD = 5
/** Held by a person, or submitted on hold. */
const ON_PURPOSE: ReadonlySet<unknown> = new Set([1, 15])

/** Reads `condor_q -json`, which prints nothing at all when nothing matches. undefined when it is no listing. */
export function parseListing(text: string): ListedElement[] | undefined {
  if (text.trim() === '') return []
  let rows: unknown
  try {
    rows = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!Array.isArray(rows)) return undefined
  const elements = rows.map(parseRow)
  return elements.every(element => element !== undefined) ? elements : undefined
}

function parseRow(row: unknown): ListedElement | undefined {
  if (typeof row !== 'object' || row === null) return undefined
  const { ClusterId, ProcId, JobStatus, HoldReason, HoldReasonCode, JobBatchName } = row as Record<string, unknown>
  if (typeof ClusterId !== 'number' || typeof ProcId !== 'number' || typeof JobStatus !== 'number') return undefined
  return {
    allocation: String(ClusterId),
    index: ProcId + 1,
    state: JobStatus === HELD ? heldState(HoldReasonCode) : (STATES[JobStatus] ?? 'unknown'),
    word: WORDS[JobStatus] ?? String(JobStatus),
    reason: typeof HoldReason === 'string' ? HoldReason : undefined,
    stuck: JobStatus === HELD,
    name: typeof JobBatchName === 'string' ? JobBatchName : '',
  }
}

/** A job that HTCondor itself put on hold never runs again unless a person lets it: cancel it. */
const heldState = (code: unknown): Verdict => (ON_PURPOSE.has(code) ? 'queued' : 'gone')

/** The constraint that matches these clusters and names. */
export function constraintOf(ids: readonly string[], names: readonly string[]): string {
  return [
    ...ids.map(id => `ClusterId==${Number(id)}`),
    ...names.map(name => `JobBatchName==${JSON.stringify(name)}`),
  ].join(' || ')
}
