import { renameSync } from 'node:fs'
import type { Attempt } from './attempt.ts'
import type { LogFiles } from './stdio.ts'

const ATTEMPT_IN_NAME = /_a\d+(\.\w+)$/

/**
 * Brings a running attempt under a new claim: its logs take the name of the attempt that its result will have. The process goes on writing
 * to them. A log that cannot be renamed keeps its name.
 */
export function readopt(
  attempt: Attempt,
  { claimToken, attemptId }: { claimToken: string; attemptId: number },
): Attempt {
  const moved = (path: string): string => moveLog(path, path.replace(ATTEMPT_IN_NAME, `_a${attemptId}$1`))
  const { stdout, stderr } = attempt.logs
  const logs: LogFiles = {
    stdout: stdout === null ? null : moved(stdout),
    stderr: stderr === null || stderr === 'stdout' ? stderr : moved(stderr),
  }
  return { ...attempt, claimToken, attemptId, logs }
}

function moveLog(from: string, to: string): string {
  try {
    renameSync(from, to)
    return to
  } catch {
    return from
  }
}
