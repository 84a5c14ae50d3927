import { join } from 'node:path'
import { finalise } from '../../../runner/finalise.ts'
import { createFinalisers, type Ended, onMainPath } from '../../../runner/job-threads/finalisers.ts'
import { openJobThreads } from '../../../runner/job-threads/open.ts'
import { makeEmptyFile } from '../empty-file.ts'
import { answer } from './answer.ts'

export type Finalising = {
  directory: string
  jobs: number
  /** The output of each. */
  outputBytes: number
  threads: number
  /** The program of a job thread as it is shipped. */
  program: string
}
export type Finalised = { seconds: number; hashes: number }

/** Makes the completions of jobs that have ended together. */
async function finaliseJobs({ directory, jobs, outputBytes, threads, program }: Finalising): Promise<Finalised> {
  const path = join(directory, 'output')
  makeEmptyFile(path, outputBytes)
  const here = onMainPath(({ attempt, end, reason }) => finalise(attempt, end, reason))
  const pool = threads === 1 ? undefined : openJobThreads(threads, here, program)
  const execute = pool === undefined ? here : pool.run
  // Threads are made for the first jobs of a run and stay.
  await finaliseAll(
    Array.from({ length: threads }, (_, index) => endedJob(index, path)),
    execute,
  )
  const startedAt = performance.now()
  const hashes = await finaliseAll(
    Array.from({ length: jobs }, (_, index) => endedJob(index, path)),
    execute,
  )
  const seconds = (performance.now() - startedAt) / 1000
  await pool?.close()
  return { seconds, hashes }
}

/** Gives the number of outputs that were hashed. */
function finaliseAll(
  cycle: readonly Ended[],
  execute: Parameters<typeof createFinalisers>[0]['execute'],
): Promise<number> {
  let hashes = 0
  let left = cycle.length
  return new Promise(resolve => {
    createFinalisers({ execute }).take(cycle, done => {
      for (const { entry } of done) hashes += entry.file_times?.filter(output => output.sha256).length ?? 0
      left -= done.length
      if (left === 0) resolve(hashes)
    })
  })
}

function endedJob(id: number, path: string): Ended {
  const claim = { workflowId: 1, runId: 0, attemptId: 1, claimToken: String(id), computeNodeId: 1 }
  const needs = { num_cpus: 1, num_gpus: 0, memory_bytes: 0, runtime_seconds: 60 }
  return {
    job: {
      id,
      workflow_id: 1,
      name: String(id),
      command: 'true',
      status: 'running',
      attempt_id: 1,
      claim_token: String(id),
      claimed_at: 0,
      resource_requirements: needs,
    },
    attempt: {
      ...claim,
      jobId: id,
      cwd: '/',
      outputs: [{ id: 1, path }],
      logs: { stdout: null, stderr: null },
      deleteLogsOnSuccess: false,
      hashOutputs: true,
      usePendingFailed: false,
    },
    end: { tag: id, code: 0, startedAtMs: 0, exitedAtMs: 1, userMs: 0, systemMs: 0, strays: 0 },
    reason: undefined,
  }
}

await answer(finaliseJobs)
