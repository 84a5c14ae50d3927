import { statusWord } from '../api/core/status.ts'
import { selectText, type TextSelect } from './text-rows.ts'
import { type Statement, together, type Unit } from './unit.ts'

/** One claimed job with everything needed to run it, in the wire's words (contract/notes.md 10.2, 18). */
export type ClaimedJob = {
  id: number
  workflow_id: number
  name: string
  command: string
  env?: Record<string, string>
  invocation_script?: string
  status: string
  cancel_on_blocking_job_failure: boolean
  supports_termination: boolean
  resource_requirements_id: number
  failure_handler_id?: number
  attempt_id: number
  priority: number
  origin?: string
  labels?: string[]
  output_file_ids?: number[]
  output_user_data_ids?: number[]
  claim_token: string
  fence: number
  lease_expires_at?: number
  ready_at?: number
  claimed_at: number
  resource_requirements: {
    num_cpus: number
    num_gpus: number
    num_nodes: number
    memory: string
    memory_bytes: number
    runtime: string
    runtime_seconds: number
  }
  output_files?: { id: number; path: string }[]
  failure_rules?: string
  options?: Record<string, unknown>
}

/** What the jobs of one class need and who may take them. */
export type ClassRow = {
  id: number
  workflow_id: number
  resource_requirements_id: number
  scheduler_id: number | null
  labels: string
  num_cpus: number
  num_gpus: number
  num_nodes: number
  memory: string
  runtime: string
  memory_bytes: number
  runtime_seconds: number
}

type DetailRow = {
  id: number
  status: number
  priority: number
  class_id: number
  cancel_on_failure: number
  attempt_id: number
  claim_token: string
  fence: number
  claimed_at: number
  lease_expires_at: number | null
  ready_at: number | null
  name: string
  command: string
  invocation_script: string | null
  env: string | null
  failure_handler_id: number | null
  supports_termination: number
  origin: string | null
  options: string | null
}

const DETAILS = selectText<DetailRow>(
  {
    id: 'j.id',
    status: 'j.status',
    priority: 'j.priority',
    class_id: 'j.class_id',
    cancel_on_failure: 'j.cancel_on_failure',
    attempt_id: 'j.attempt_id',
    claim_token: 'j.claim_token',
    fence: 'j.fence',
    claimed_at: 'j.claimed_at',
    lease_expires_at: 'j.lease_expires_at',
    ready_at: 'j.ready_at',
    name: 't.name',
    command: 't.command',
    invocation_script: 't.invocation_script',
    env: 't.env',
    failure_handler_id: 't.failure_handler_id',
    supports_termination: 't.supports_termination',
    origin: 't.origin',
    options: 't.options',
  },
  'FROM json_each(?) AS taken CROSS JOIN job j ON j.id = taken.value CROSS JOIN job_text t ON t.id = j.id',
)
const OUTPUT_FILES = selectText<{ job_id: number; id: number; path: string }>(
  { job_id: 'o.job_id', id: 'f.id', path: 'f.path' },
  `FROM json_each(?) AS taken CROSS JOIN job_file o ON o.job_id = taken.value AND o.is_output = 1
   CROSS JOIN file f ON f.id = o.file_id`,
)
const OUTPUT_USER_DATA = selectText<{ job_id: number; id: number }>(
  { job_id: 'o.job_id', id: 'o.user_data_id' },
  'FROM json_each(?) AS taken CROSS JOIN job_user_data o ON o.job_id = taken.value AND o.is_output = 1',
)
const RULES = selectText<{ id: number; rules: string }>(
  { id: 'id', rules: 'rules' },
  `FROM (SELECT DISTINCT h.id, h.rules FROM json_each(?) AS taken CROSS JOIN job_text t ON t.id = taken.value
   CROSS JOIN failure_handler h ON h.id = t.failure_handler_id)`,
)

/**
 * Reads all that is needed to run these claimed jobs, in the order given: the last thing of its transaction. `has` spares the look for
 * what the workflow has none of.
 */
export function* describeJobs(
  workflowId: number,
  ids: readonly number[],
  classes: ReadonlyMap<number, ClassRow>,
  has: { userData: boolean; failureHandlers: boolean },
): Unit<ClaimedJob[]> {
  const asked = [
    DETAILS,
    OUTPUT_FILES,
    ...(has.userData ? [OUTPUT_USER_DATA] : []),
    ...(has.failureHandlers ? [RULES] : []),
  ]
  const list = JSON.stringify(ids)
  const found = yield* together(asked.map(({ sql }): Statement => ({ sql, args: [list], last: true })))
  const rowsOf = <T>(select: TextSelect<T>): T[] => {
    const answer = found[asked.findIndex(({ sql }) => sql === select.sql)]
    return answer === undefined ? [] : select.rowsOf(answer)
  }
  const details = rowsOf(DETAILS)
  const files = groupByJob(rowsOf(OUTPUT_FILES))
  const userData = groupByJob(rowsOf(OUTPUT_USER_DATA))
  const rules = new Map(rowsOf(RULES).map(row => [row.id, row.rules]))
  return details.map(row => {
    const needs = classes.get(row.class_id)!
    const outputs = files.get(row.id)
    const job: ClaimedJob = {
      id: row.id,
      workflow_id: workflowId,
      name: row.name,
      command: row.command,
      status: statusWord(row.status),
      cancel_on_blocking_job_failure: row.cancel_on_failure === 1,
      supports_termination: row.supports_termination === 1,
      resource_requirements_id: needs.resource_requirements_id,
      attempt_id: row.attempt_id,
      priority: row.priority,
      claim_token: row.claim_token,
      fence: row.fence,
      claimed_at: row.claimed_at,
      resource_requirements: {
        num_cpus: needs.num_cpus,
        num_gpus: needs.num_gpus,
        num_nodes: needs.num_nodes,
        memory: needs.memory,
        memory_bytes: needs.memory_bytes,
        runtime: needs.runtime,
        runtime_seconds: needs.runtime_seconds,
      },
    }
    if (row.env !== null) job.env = JSON.parse(row.env)
    if (row.invocation_script !== null) job.invocation_script = row.invocation_script
    if (row.failure_handler_id !== null) job.failure_handler_id = row.failure_handler_id
    if (row.origin !== null) job.origin = row.origin
    if (needs.labels !== '') job.labels = needs.labels.split(',')
    if (row.lease_expires_at !== null) job.lease_expires_at = row.lease_expires_at
    if (row.ready_at !== null) job.ready_at = row.ready_at
    if (row.options !== null) job.options = JSON.parse(row.options)
    if (outputs !== undefined) {
      job.output_file_ids = outputs.map(file => file.id)
      job.output_files = outputs.map(({ id, path }) => ({ id, path }))
    }
    const data = userData.get(row.id)
    if (data !== undefined) job.output_user_data_ids = data.map(item => item.id)
    const text = row.failure_handler_id === null ? undefined : rules.get(row.failure_handler_id)
    if (text !== undefined) job.failure_rules = text
    return job
  })
}

function groupByJob<T extends { job_id: number }>(rows: readonly T[]): Map<number, T[]> {
  const groups = new Map<number, T[]>()
  for (const row of rows) {
    const group = groups.get(row.job_id)
    if (group === undefined) groups.set(row.job_id, [row])
    else group.push(row)
  }
  return groups
}
