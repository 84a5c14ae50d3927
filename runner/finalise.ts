import { rmSync, type Stats, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { type Attempt, completionOf, type EndReason, type OutputCheck, type ProcessEnd } from './attempt.ts'
import { hashFile } from './hash-file.ts'
import { makeDirectory } from './make-directory.ts'
import { logPaths } from './stdio.ts'
import type { CompletionEntry } from './wire.ts'

/** Everything between a process's end and its completion: looks at the outputs, tidies the logs, builds the entry. */
export function finalise(attempt: Attempt, end: ProcessEnd, reason: EndReason | undefined): CompletionEntry {
  const entry = completionOf(attempt, end, checkOutputs(attempt), reason)
  if (entry.status === 'completed' && attempt.deleteLogsOnSuccess) {
    for (const path of logPaths(attempt.logs)) rmSync(path, { force: true })
  }
  return entry
}

/** Looks which declared outputs exist, and what is in them where that is asked for. Times are seconds since 1970. */
function checkOutputs({ outputs, cwd, hashOutputs = false }: Attempt): OutputCheck {
  const check: OutputCheck = { fileTimes: [], missing: [] }
  for (const { id, path } of outputs) {
    const whole = resolve(cwd, path)
    const found = look(whole)
    if (found === undefined) check.missing.push(path)
    else {
      const time = { file_id: id, st_mtime: found.mtimeMs / 1000 }
      // Devices, pipes and directories have no content of their own.
      const isHashed = hashOutputs && found.isFile()
      check.fileTimes.push(isHashed ? { ...time, size_bytes: found.size, sha256: hashFile(whole) } : time)
    }
  }
  return check
}

/** Makes the directory of the jobs' output. Throws, with exit code 3, when it cannot be written. */
export function makeLogDirectory(outputDir: string): void {
  makeDirectory(resolve(outputDir, 'job_stdio'))
}

/** What is at a path; below a file there is nothing, which Node tells as an error or not by its version. */
function look(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') return undefined
    throw error
  }
}
