/** Which files of a workflow are not as they were when its jobs last looked, and which jobs that concerns. Pure. */

export type KnownFile = { id: number; name: string; path: string; st_mtime?: number }
/** A row of `job_file_relationships`. */
export type FileLink = { file_id: number; producer_job_id?: number; consumer_job_id?: number }

export type FileChange = { file: KnownFile; how: 'changed' | 'new' | 'gone'; seconds: number | undefined }

/** Clocks of file systems keep less than the number that was stored. */
const SAME_SECONDS = 0.01

/** Compares what is known of files with the disk; `modified` gives seconds since 1970, undefined when a file is not there. */
export function changedFiles(
  files: readonly KnownFile[],
  modified: (path: string) => number | undefined,
): FileChange[] {
  return files.flatMap((file): FileChange[] => {
    const seconds = modified(file.path)
    if (seconds === undefined) return file.st_mtime === undefined ? [] : [{ file, how: 'gone', seconds }]
    if (file.st_mtime === undefined) return [{ file, how: 'new', seconds }]
    return Math.abs(seconds - file.st_mtime) > SAME_SECONDS ? [{ file, how: 'changed', seconds }] : []
  })
}

export type Concerned = { jobId: number; why: string }

/**
 * The jobs that have to run again: those that read a changed file, and those whose output is gone. A job is named once, with its
 * first reason. `ended` tells whether a job has ended, by success or not: others read what is there when they run.
 */
export function concernedJobs(
  changes: readonly FileChange[],
  links: readonly FileLink[],
  ended: (jobId: number) => boolean,
): Concerned[] {
  const byFile = new Map(changes.map(change => [change.file.id, change]))
  const found = new Map<number, string>()
  const note = (jobId: number | undefined, why: string) => {
    if (jobId !== undefined && ended(jobId) && !found.has(jobId)) found.set(jobId, why)
  }
  for (const { file_id, producer_job_id, consumer_job_id } of links) {
    const change = byFile.get(file_id)
    if (change === undefined) continue
    if (change.how === 'gone') note(producer_job_id, `its output ${change.file.path} is gone`)
    note(consumer_job_id, `its input ${change.file.path} is ${change.how}`)
  }
  return [...found].map(([jobId, why]) => ({ jobId, why }))
}
