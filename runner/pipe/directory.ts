import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { cannotRun } from '../command-line/error.ts'

/** Below an output directory: `pipe/run_0001` and so on. */
const FOLDER = 'pipe'
const NAME = /^run_(\d+)$/
/** The environment of jobs stands in it, which may hold what is nobody else's business. */
const PRIVATE = 0o700

/** Makes the directory of the next run: one more than any there is. Two who ask at once get two. */
export function makeRunDirectory(outputDir: string): string {
  const folder = join(outputDir, FOLDER)
  try {
    mkdirSync(folder, { recursive: true, mode: PRIVATE })
    for (let number = lastNumber(folder) + 1; ; number++) {
      const path = join(folder, `run_${String(number).padStart(4, '0')}`)
      if (makeNew(path)) return path
    }
  } catch (error) {
    throw cannotRun(`Cannot make a run directory below ${folder}: ${(error as Error).message}`)
  }
}

function lastNumber(folder: string): number {
  return Math.max(0, ...readdirSync(folder).map(name => Number(NAME.exec(name)?.[1] ?? 0)))
}

function makeNew(path: string): boolean {
  try {
    mkdirSync(path, { mode: PRIVATE })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** What lies in a run directory. */
export const placesIn = (directory: string) => ({
  run: join(directory, 'run.json'),
  members: join(directory, 'members.jsonl'),
  jobs: join(directory, 'jobs'),
  submission: (name: string) => join(directory, 'submissions', name),
  result: (jobId: number, attemptId: number) =>
    join(directory, 'jobs', `job_${jobId}`, `attempt_${attemptId}`, 'result.json'),
  postLog: join(directory, 'post_step.log'),
})
