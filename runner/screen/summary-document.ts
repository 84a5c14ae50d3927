import type { RunSummary } from './types.ts'

/** What a run came to, for programs: one document in the wire's words. */
export function summaryDocument(summary: RunSummary) {
  return {
    workflow_id: summary.workflowId,
    run_id: summary.runId,
    name: summary.name,
    counts: summary.counts,
    wall_seconds: summary.wallSeconds,
    output_dir: summary.outputDir,
    stopped_by: summary.stoppedBy ?? null,
    failed: summary.failed.map(job => ({
      job_id: job.jobId,
      name: job.name,
      status: job.status,
      return_code: job.returnCode ?? null,
      failure_class: job.failureClass ?? null,
      log_paths: job.logPaths,
    })),
    unrunnable: summary.unrunnable.map(({ jobId, name, reason }) => ({ job_id: jobId, name, reason })),
  }
}
