import { expectValue, listAll } from '../commands/ask.ts'
import type { CommandRunner } from '../schedulers/command.ts'
import type { Asked } from './rows.ts'
import { type AttemptUsage, attemptsOf, readAccounting } from './usage.ts'

/**
 * Keeps what accounting says of attempts; returns of how many. A record that is there is replaced, since accounting is read again. Jobs that
 * are no longer there are passed over.
 */
export async function storeAttempts(
  attempts: readonly AttemptUsage[],
  workflowId: number,
  { client, where }: Asked,
): Promise<number> {
  if (attempts.length === 0) return 0
  const doing = `keep the accounting of workflow ${workflowId}`
  const jobs = await listAll<{ id: number }>(client, `/jobs?workflow_id=${workflowId}`, doing, where)
  const known = new Set(jobs.map(job => job.id))
  const kept = attempts.filter(attempt => known.has(attempt.jobId))
  for (const attempt of kept) {
    const body = {
      workflow_id: workflowId,
      job_id: attempt.jobId,
      run_id: attempt.runId,
      attempt_id: attempt.attemptId,
      slurm_job_id: attempt.allocation,
      max_rss_bytes: attempt.maxRssBytes,
      max_vm_size_bytes: attempt.maxVmSizeBytes,
      max_disk_read_bytes: attempt.maxDiskReadBytes,
      max_disk_write_bytes: attempt.maxDiskWriteBytes,
      ave_cpu_seconds: attempt.aveCpuSeconds,
      node_list: attempt.nodeList,
    }
    expectValue(await client.request('POST', '/slurm_stats', body, { repeatable: true }), doing, where)
  }
  return kept.length
}

/** Has Slurm's accounting of one allocation kept by the runner in it. A site without any, and one that is slow, loses nothing else. */
export async function keepAccounting(
  allocation: string,
  workflowId: number,
  asked: Asked,
  run: CommandRunner,
): Promise<string | undefined> {
  const accounting = await readAccounting(run, [allocation])
  if ('trouble' in accounting) return accounting.trouble
  try {
    await storeAttempts(attemptsOf(accounting.rows), workflowId, asked)
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
  return undefined
}
