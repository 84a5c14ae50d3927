import type { Completion } from '../api/core/completion.ts'
import type { Asked } from '../api/core/failure-decision.ts'
import { type FailurePolicy, policyOf } from '../api/core/failure-evidence.ts'
import { type FailureRule, parseFailureRules } from '../api/core/failure-rules.ts'
import { all, type Unit } from './unit.ts'

/** All that decides whether a failed attempt is tried again. */
export type FailureFacts = { rules: FailureRule[]; policy: FailurePolicy; asked: Asked }

type Row = {
  id: number
  options: string | null
  workflow_options: string | null
  rules: string | null
  memory_bytes: number
  runtime_seconds: number
}

/** Statuses of attempts that failed. */
const FAILED: ReadonlySet<string> = new Set(['failed', 'terminated', 'pending_failed'])

/**
 * Reads the facts about the jobs of failed attempts. Only reports with a failure class count: clients of the contract send none, decide on
 * retries themselves, and see what they report.
 */
export function* readFailureFacts(completions: readonly Completion[]): Unit<Map<number, FailureFacts>> {
  const ids = completions
    .filter(({ failureClass, status }) => failureClass !== undefined && FAILED.has(status))
    .map(({ jobId }) => jobId)
  if (ids.length === 0) return new Map()
  const rows = yield* all<Row>(FACTS, JSON.stringify([...new Set(ids)]))
  return new Map(rows.map(row => [row.id, factsOf(row)]))
}

const FACTS = `
  SELECT j.id, t.options, w.options AS workflow_options, h.rules, r.memory_bytes, r.runtime_seconds
  FROM json_each(?) AS wanted CROSS JOIN job j ON j.id = wanted.value CROSS JOIN job_text t ON t.id = j.id
  CROSS JOIN workflow w ON w.id = j.workflow_id CROSS JOIN job_class c ON c.id = j.class_id
  CROSS JOIN resource_requirements r ON r.id = c.resource_requirements_id LEFT JOIN failure_handler h ON h.id = t.failure_handler_id`

function factsOf(row: Row): FailureFacts {
  const options = row.options === null ? undefined : JSON.parse(row.options)
  const workflow = row.workflow_options === null ? undefined : JSON.parse(row.workflow_options)
  return {
    rules: row.rules === null ? [] : parseFailureRules(row.rules),
    policy: policyOf(options, workflow),
    asked: {
      memoryBytes: row.memory_bytes,
      runtimeSeconds: row.runtime_seconds,
      timeLimitSeconds: options?.time_limit_seconds,
    },
  }
}
