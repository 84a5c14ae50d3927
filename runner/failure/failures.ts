import { type FailurePolicy, policyOf } from '../../api/core/failure-evidence.ts'
import type { WorkflowOptions } from '../../api/core/spec/options.ts'
import type { Attempt, EndReason, ProcessEnd } from '../attempt.ts'
import type { Client } from '../client.ts'
import { finalise } from '../finalise.ts'
import type { RunFacts } from '../job-environment.ts'
import type { LoopApi } from '../loop.ts'
import type { ClaimedJob, CompletionEntry } from '../wire.ts'
import { createFailureJudge } from './judge-failure.ts'
import { watchOom } from './oom-watch.ts'
import { createRecoveries } from './recovery.ts'

/** All that a runner does about failed attempts: why they failed, and their recovery scripts. Whether they are tried again is decided on the server. */
export type Failures = {
  policyOf(job: Pick<ClaimedJob, 'options'>): FailurePolicy
  /** The control plane with recovery scripts started where its replies ask for them. */
  watch(api: LoopApi): LoopApi
  finalise(attempt: Attempt, end: ProcessEnd, reason: EndReason | undefined): CompletionEntry
  /** Ends the scripts that still run and waits until that was told. */
  close(): Promise<void>
}

export type FailuresOptions = {
  client: Client
  facts: RunFacts
  cwd: string
  workflowOptions: WorkflowOptions | undefined
  note: (line: string) => void
}

const SIGKILL = 9
/** What a shell answers whose child was killed with SIGKILL. */
const KILLED_CHILD = 128 + SIGKILL

export function createFailures({ client, facts, cwd, workflowOptions, note }: FailuresOptions): Failures {
  const judge = createFailureJudge()
  const recoveries = createRecoveries(client, { facts, cwd, note })
  const oom = watchOom()
  const policy = (job: Pick<ClaimedJob, 'options'>): FailurePolicy => policyOf(job.options, workflowOptions)

  const ranOutOfMemory = (end: ProcessEnd): boolean =>
    (end.signal === SIGKILL || end.code === KILLED_CHILD) && oom.hasKilled()

  return {
    policyOf: policy,
    watch: api => ({
      ...api,
      async exchange(request) {
        const reply = await api.exchange(request)
        if (reply?.claimed?.length) await judge.prepare(reply.claimed.map(policy))
        if (reply?.retries !== undefined) {
          const codes = new Map(request.completions.map(entry => [entry.job_id, entry.result.return_code]))
          recoveries.start(reply.retries, jobId => codes.get(jobId) ?? 1)
        }
        return reply
      },
    }),
    finalise(attempt, end, reason) {
      const why = reason ?? (ranOutOfMemory(end) ? 'oom' : undefined)
      return judge.judge(finalise(attempt, end, why), attempt)
    },
    close: () => recoveries.close(),
  }
}
