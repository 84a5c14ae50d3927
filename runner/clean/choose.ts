/** Which log files may go. Pure. */
import type { LogEntry } from './contents.ts'

export type Rules = {
  emptyLogs: boolean
  /** The logs of so many runs stay, the newest; undefined: of all. */
  keepRuns?: number
  /** Logs older than this many milliseconds go. */
  olderThanMs?: number
}

export type Doomed = { log: LogEntry; why: 'empty' | 'old' | 'beyond --keep' }

/** A job that has just begun may not have written yet, whoever runs it. */
const FRESH_MS = 60_000

/** Chooses by the rules; runs that may be live are never touched. */
export function chooseLogs(
  logs: readonly LogEntry[],
  rules: Rules,
  nowMs: number,
  isLive: (workflowId: number) => boolean,
): Doomed[] {
  const kept = rules.keepRuns === undefined ? undefined : newestRuns(logs, rules.keepRuns)
  return logs.flatMap((log): Doomed[] => {
    const ageMs = nowMs - log.modifiedMs
    if (isLive(log.workflowId) || ageMs < FRESH_MS) return []
    if (rules.emptyLogs && log.bytes === 0) return [{ log, why: 'empty' }]
    if (rules.olderThanMs !== undefined && ageMs > rules.olderThanMs) return [{ log, why: 'old' }]
    return kept !== undefined && !kept.has(runOf(log)) ? [{ log, why: 'beyond --keep' }] : []
  })
}

const runOf = ({ workflowId, runId }: LogEntry): string => `${workflowId}/${runId}`

function newestRuns(logs: readonly LogEntry[], count: number): Set<string> {
  const newest = new Map<string, number>()
  for (const log of logs) newest.set(runOf(log), Math.max(newest.get(runOf(log)) ?? 0, log.modifiedMs))
  const sorted = [...newest].sort((a, b) => b[1] - a[1])
  return new Set(sorted.slice(0, count).map(([run]) => run))
}
