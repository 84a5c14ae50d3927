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
  policyOf(job: Pick<ClaimedJob, 'options' | 'workflow_id'>): FailurePolicy
  /** The control plane with recovery scripts started where its replies ask for them. */
  watch(api: LoopApi): LoopApi
  /** Why an attempt ended, with what the kernel tells: to be asked once, while the exit is news. */
  reasonOf(end: ProcessEnd, reason: EndReason | undefined): EndReason | undefined
  finalise(attempt: Attempt, end: ProcessEnd, reason: EndReason | undefined): CompletionEntry
  /** Ends the scripts that still run and waits until that was told. */
  close(): Promise<void>
}

export type FailuresOptions = {
  client: Client
  cwd: string
  /** What is known of a workflow that the runner has jobs of. */
  workflow(id: number): { facts: RunFacts; workflow: { options?: WorkflowOptions } }
  note: (line: string) => void
}

const SIGKILL = 9
/** What a shell answers whose child was killed with SIGKILL. */
const KILLED_CHILD = 128 + SIGKILL

export function createFailures({ client, cwd, workflow, note }: FailuresOptions): Failures {
  const judge = createFailureJudge()
  const recoveries = createRecoveries(client, { cwd, note, factsOf: id => workflow(id).facts })
  const oom = watchOom()
  const policy: Failures['policyOf'] = job => policyOf(job.options, workflow(job.workflow_id).workflow.options)

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
          const results = new Map(request.completions.map(entry => [entry.job_id, entry.result]))
          recoveries.start(reply.retries, jobId => results.get(jobId))
        }
        return reply
      },
    }),
    reasonOf: (end, reason) => reason ?? (end.overMemoryBytes !== undefined || ranOutOfMemory(end) ? 'oom' : undefined),
    finalise: (attempt, end, reason) => judge.judge(finalise(attempt, end, reason), attempt),
    close: () => recoveries.close(),
  }
}
