import * as v from 'valibot'
import type { Completion, Started } from '../core/completion.ts'
import { claimPartSchema } from './claim.ts'
import { batch, bool, float, integer, optional, text } from './fields.ts'

const usage = v.object({
  user_seconds: optional(float),
  system_seconds: optional(float),
  peak_memory_bytes: optional(integer),
  avg_memory_bytes: optional(integer),
  peak_cpu_percent: optional(float),
  avg_cpu_percent: optional(float),
})

/** Epoch milliseconds, as far as dates go. */
export const moment = v.pipe(float, v.minValue(0), v.maxValue(8.64e15))

const fileTime = v.object({
  file_id: integer,
  st_mtime: float,
  size_bytes: optional(v.pipe(integer, v.minValue(0))),
  sha256: optional(v.pipe(text, v.regex(/^[0-9a-f]{64}$/))),
})

/** A result as reported with a completion. The status is any text here: an unknown word is the entry's fault, not the batch's. */
export const reportedResultSchema = v.object({
  job_id: integer,
  workflow_id: integer,
  run_id: integer,
  attempt_id: optional(integer),
  compute_node_id: integer,
  return_code: integer,
  exec_time_minutes: float,
  completion_time: text,
  status: text,
  peak_memory_bytes: optional(integer),
  avg_memory_bytes: optional(integer),
  peak_cpu_percent: optional(float),
  avg_cpu_percent: optional(float),
})

export const completionSchema = v.object({
  job_id: integer,
  status: text,
  run_id: integer,
  result: reportedResultSchema,
  claim_token: optional(text),
  failure_class: optional(text),
  usage: optional(usage),
  phase_times: optional(v.object({ claimed: optional(float), launched: optional(float), exited: optional(float) })),
  file_times: optional(v.array(fileTime)),
})

/** The end of one attempt in a request of its own: the result, and ours the token beside it. */
export const singleCompletionSchema = v.object({ ...reportedResultSchema.entries, claim_token: optional(text) })

export const batchSchema = v.object({
  completions: batch(v.unknown()),
  started: optional(batch(v.object({ job_id: integer, claim_token: text, start_time: moment }))),
  verdicts: optional(bool),
  claim: optional(claimPartSchema),
  summary: optional(bool),
})

export type ReportedResult = v.InferOutput<typeof reportedResultSchema>
type WireCompletion = v.InferOutput<typeof completionSchema>

/** Nulls stand for absence on the wire; inside, absent values are undefined. */
export function toCompletion(wire: WireCompletion): Completion {
  return {
    jobId: wire.job_id,
    status: wire.status,
    runId: wire.run_id,
    claimToken: wire.claim_token ?? undefined,
    failureClass: wire.failure_class ?? undefined,
    result: withoutNulls(wire.result),
    usage: wire.usage ? withoutNulls(wire.usage) : undefined,
    phaseTimes: wire.phase_times ? withoutNulls(wire.phase_times) : undefined,
    fileTimes: wire.file_times?.map(time => ({
      fileId: time.file_id,
      stMtime: time.st_mtime,
      sizeBytes: time.size_bytes ?? undefined,
      sha256: time.sha256 ?? undefined,
    })),
  }
}

export const toStarted = (wire: { job_id: number; claim_token: string; start_time: number }): Started => ({
  jobId: wire.job_id,
  claimToken: wire.claim_token,
  startedAt: wire.start_time,
})

type WithoutNulls<T> = { [K in keyof T]: Exclude<T[K], null> }

function withoutNulls<T extends object>(value: T): WithoutNulls<T> {
  for (const key in value) if (value[key] === null) delete value[key]
  return value as WithoutNulls<T>
}
