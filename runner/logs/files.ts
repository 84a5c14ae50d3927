import { statSync } from 'node:fs'
import { logFiles } from '../stdio.ts'

/** One attempt of a job, as the names of its log files have it. */
export type LoggedAttempt = { workflowId: number; jobId: number; runId: number; attemptId: number }

export type LogFile = { kind: 'stdout' | 'stderr' | 'combined'; path: string; bytes: number }

/** The log files of an attempt that lie in an output directory, standard output first. Where a workflow keeps none there are none. */
export function findLogFiles(outputDir: string, attempt: LoggedAttempt): LogFile[] {
  const { stdout, stderr } = logFiles(outputDir, 'separate', attempt)
  const combined = logFiles(outputDir, 'combined', attempt).stdout
  const places = [
    ['stdout', stdout],
    ['stderr', stderr],
    ['combined', combined],
  ] as const
  return places.flatMap(([kind, path]) => {
    const found = path === null ? undefined : statSync(path, { throwIfNoEntry: false })
    return found?.isFile() ? [{ kind, path: path!, bytes: found.size }] : []
  })
}
