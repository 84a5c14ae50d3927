import { readFileSync } from 'node:fs'
import type { CompletionEntry } from '../wire.ts'

/** What an attempt directory says of its attempt: the completion as it is sent, with the exit code in it. */
export type ResultFile = { version: 1; pipe_run_id: number; worker: number; host: string; completion: CompletionEntry }

/** The text of a result file. */
export const formatResult = (result: ResultFile): string => `${JSON.stringify(result, null, 2)}\n`

/** Reads a result file; undefined when it is torn, or none of ours. */
export function readResult(path: string): CompletionEntry | undefined {
  try {
    const found = JSON.parse(readFileSync(path, 'utf8')) as Partial<ResultFile>
    return found.version === 1 && isCompletion(found.completion) ? found.completion : undefined
  } catch {
    return undefined
  }
}

const isCompletion = (value: unknown): value is CompletionEntry => {
  const entry = value as Partial<CompletionEntry> | null | undefined
  return (
    typeof entry?.job_id === 'number' &&
    typeof entry.claim_token === 'string' &&
    typeof entry.status === 'string' &&
    typeof entry.result?.attempt_id === 'number' &&
    typeof entry.result.return_code === 'number'
  )
}
