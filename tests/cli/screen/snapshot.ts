import { readCounts } from '../../../runner/screen/status.ts'
import type { ProgressSnapshot, RunSummary } from '../../../runner/screen/types.ts'

/** A run in the middle: one minute old, ten jobs running. */
export function snapshotOf(changes: Partial<ProgressSnapshot> = {}): ProgressSnapshot {
  return {
    workflowId: 12,
    name: 'diamond',
    counts: readCounts({ completed: 1_200, failed: 3, canceled: 7, running: 10, ready: 60, blocked: 1_721 }),
    total: 3_001,
    finishedHere: 1_203,
    startedAtMs: 0,
    running: Array.from({ length: 10 }, (_, index) => ({
      jobId: index,
      name: `work_${index}`,
      startedAtMs: 60_000 - index * 1_000,
    })),
    ...changes,
  }
}

export function summaryOf(changes: Partial<RunSummary> = {}): RunSummary {
  return {
    workflowId: 12,
    runId: 1,
    name: 'diamond',
    counts: readCounts({ completed: 15 }),
    wallSeconds: 2.14,
    outputDir: '/home/me/headrace_output',
    failed: [],
    unrunnable: [],
    ...changes,
  }
}
