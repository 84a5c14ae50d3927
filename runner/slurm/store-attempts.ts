import { setTimeout as sleep } from 'node:timers/promises'
import { expectValue, listAll } from '../commands/ask.ts'
import type { CommandRunner } from '../schedulers/command.ts'
import { type AccountingRow, RUNNING } from './accounting.ts'
import type { Asked } from './rows.ts'
import type { Steps } from './steps.ts'
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

/** Slurm hears of a step's end a moment after its srun has ended, and its accounts a moment later still. */
const LOOKS = 10
const BETWEEN_LOOKS_MS = 500

/**
 * Has Slurm's accounting of one allocation kept by the runner in it, when it has the figures of all these steps or says for seconds that it
 * has not. A site without any, and one that is slow, loses nothing else: returns what was in the way.
 */
export async function keepAccounting(
  { allocation, steps }: NonNullable<Steps['accounts']>,
  workflowId: number,
  asked: Asked,
  run: CommandRunner,
  pause = () => sleep(BETWEEN_LOOKS_MS),
): Promise<string | undefined> {
  let accounting = await readAccounting(run, [allocation])
  for (let look = 1; look < LOOKS && 'rows' in accounting && !isWhole(accounting.rows, steps); look++) {
    await pause()
    accounting = await readAccounting(run, [allocation])
  }
  if ('trouble' in accounting) return accounting.trouble
  try {
    await storeAttempts(attemptsOf(accounting.rows), workflowId, asked)
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
  return undefined
}

function isWhole(rows: readonly AccountingRow[], steps: ReadonlySet<string>): boolean {
  const ended = new Set(rows.filter(row => row.state !== RUNNING).map(row => row.name))
  return [...steps].every(name => ended.has(name))
}
