/** The file of launches that have ended, in a runner's directory. */
export const RECORDS_NAME = 'exec.jsonl'

/** What is kept of a launch that has ended, one line of JSON in the outbox. Moments are milliseconds since the epoch. */
export type LaunchRecord = {
  id: string
  command: string
  return_code: number
  cpus: number
  cores: readonly number[]
  gpus: readonly string[]
  memory_bytes: number
  asked_at: number
  started_at: number
  exited_at: number
  /** Absent where the client could not know them; never a guess. */
  user_ms?: number
  system_ms?: number
  peak_memory_bytes?: number
  /** The workflow that it is for. */
  workflow_id?: number
}
