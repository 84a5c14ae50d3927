import { existsSync } from 'node:fs'
import type { JobStatus } from '../api/core/status.ts'
import { must } from './client/must.ts'
import type { Client } from './client.ts'
import { readFileEnd } from './file-end.ts'
import type { LoopEnd } from './loop.ts'
import type { FailedJob, RunSummary, StatusCounts } from './screen/types.ts'
import { logFiles, logPaths, type StdioSettings, stdioOf } from './stdio.ts'
import type { WorkflowSummary } from './wire.ts'

const SHOWN_FAILURES = 10
/** Canceled jobs follow from the others and say nothing new. */
const FAILED_STATUSES: readonly JobStatus[] = ['failed', 'terminated', 'pending_failed']
const TAIL_LINES = 5
const TAIL_BYTES = 4_096

type WireJob = { id: number; name: string; status: JobStatus; attempt_id: number }
type WireResult = { attempt_id: number; run_id: number; return_code: number; failure_class?: string }

export type SummaryContext = {
  client: Client
  outputDir: string
  stdio: StdioSettings
  wallSeconds: number
  end: LoopEnd | 'already_finished'
  timeUp: boolean
  unrunnable: RunSummary['unrunnable']
}

/** What is said at the end of a run: counts from the control plane, and for the first failures their logs' last lines. */
export async function summarize(workflowId: number, context: SummaryContext): Promise<RunSummary> {
  const summary = await must(context.client.request<WorkflowSummary>('GET', `/workflows/${workflowId}/summary`))
  return {
    workflowId,
    runId: summary.run_id,
    name: summary.name,
    counts: summary.jobs_by_status as StatusCounts,
    wallSeconds: context.wallSeconds,
    outputDir: context.outputDir,
    failed: await failedJobs(workflowId, summary, context),
    unrunnable: context.end === 'no_room' ? context.unrunnable : [],
    stoppedBy: stoppedBy(context),
    alreadyFinished: context.end === 'already_finished' ? true : undefined,
  }
}

function stoppedBy({ end, timeUp }: SummaryContext): RunSummary['stoppedBy'] {
  switch (end) {
    case 'drained':
      return timeUp ? 'time_limit' : 'interrupt'
    case 'canceled':
      return 'canceled'
    case 'no_room':
      return 'no_room'
    case 'idle':
      return 'other_runners'
    default:
      return undefined
  }
}

async function failedJobs(workflowId: number, summary: WorkflowSummary, context: SummaryContext): Promise<FailedJob[]> {
  const found: FailedJob[] = []
  for (const status of FAILED_STATUSES) {
    const left = SHOWN_FAILURES - found.length
    if (left <= 0 || !summary.jobs_by_status[status]) continue
    const { items } = await must(
      context.client.request<{ items: WireJob[] }>(
        'GET',
        `/jobs?workflow_id=${workflowId}&status=${status}&limit=${left}`,
      ),
    )
    for (const job of items) found.push(await describe(workflowId, job, context))
  }
  return found
}

async function describe(
  workflowId: number,
  job: WireJob,
  { client, outputDir, stdio }: SummaryContext,
): Promise<FailedJob> {
  const { items } = await must(
    client.request<{ items: WireResult[] }>('GET', `/results?workflow_id=${workflowId}&job_id=${job.id}`),
  )
  const result = items[0]
  const paths =
    result === undefined
      ? []
      : logPaths(
          logFiles(outputDir, stdioOf(job.name, stdio).mode, {
            workflowId,
            jobId: job.id,
            runId: result.run_id,
            attemptId: result.attempt_id,
          }),
        ).filter(path => existsSync(path))
  const telling = paths.map(path => ({ path, tail: lastLines(path) })).find(log => log.tail.length > 0)
  return {
    jobId: job.id,
    name: job.name,
    status: job.status,
    returnCode: result?.return_code,
    failureClass: result?.failure_class,
    logPaths: telling === undefined ? paths : [telling.path, ...paths.filter(path => path !== telling.path)],
    tail: telling?.tail ?? [],
  }
}

function lastLines(path: string): string[] {
  const text = readFileEnd(path, TAIL_BYTES).trimEnd()
  return text === '' ? [] : text.split('\n').slice(-TAIL_LINES)
}
