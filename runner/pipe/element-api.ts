import type { Client } from '../client.ts'
import type { LoopApi } from '../loop.ts'
import type { ClaimedJob, ExchangeReply, WorkflowSummary } from '../wire.ts'
import type { PipeProgress } from './wire.ts'

export type ElementApiOptions = {
  client: Client
  runId: number
  nodeId: number
  worker: number
  /** The name of the submission this element belongs to. */
  submission: string | undefined
  /** Kinds of members that nothing here can run, by job id. */
  unknownKinds: ReadonlyMap<number, string>
  /** How long silence is borne. */
  leaseSeconds: number
  clock: () => number
}

/** A runner with work shows so many times in a lease that it lives. */
const SHOWS_PER_LEASE = 4

/**
 * The control plane as an element's loop sees it: the node is bound to the run before its first claim, and the workflow that the loop
 * looks at is the members of the run, so an element ends when nothing of its run is left for it.
 */
export function elementApi(api: LoopApi, options: ElementApiOptions): LoopApi {
  const { client, runId, nodeId, worker, submission, unknownKinds, leaseSeconds, clock } = options
  const showMs = (leaseSeconds * 1000) / SHOWS_PER_LEASE
  let isBound = false
  let hadWork = false
  let progress: PipeProgress | undefined
  let shownAt = Number.NEGATIVE_INFINITY

  async function ask(path: string, body: object): Promise<PipeProgress | undefined> {
    const reply = await client.request<PipeProgress>('POST', `/pipe_runs/${runId}/${path}`, body, { repeatable: true })
    if (!reply.ok) return undefined
    shownAt = clock()
    progress = reply.value
    return progress
  }

  /** False while the control plane does not answer. */
  async function bind(): Promise<boolean> {
    isBound ||= (await ask('runners', { compute_node_id: nodeId, worker, submission })) !== undefined
    return isBound
  }

  return {
    ...api,
    async exchange(request) {
      if (!(await bind())) return undefined
      // The summary that may come along is of the whole workflow.
      const reply = await api.exchange({ ...request, summary: undefined })
      if (reply === undefined || request.claim === undefined) return reply
      hadWork = (reply.claimed?.length ?? 0) > 0
      return withKinds(reply, unknownKinds)
    },
    async summary() {
      const workflow = await api.summary()
      if (workflow === undefined || workflow.is_complete || workflow.is_canceled) return workflow
      const isDue = !hadWork || clock() - shownAt >= showMs
      const seen = isDue ? await ask('progress', { compute_node_id: nodeId }) : progress
      return seen === undefined ? undefined : narrow(workflow, seen)
    },
  }
}

/** The workflow as if it had no jobs but the members of the run. */
function narrow(workflow: WorkflowSummary, run: PipeProgress): WorkflowSummary {
  const { by_status: all } = run.members
  // Jobs that wait for their owner's word, or need more than an element has, keep no element.
  const counts = { ...all, pending_failed: 0, ready: Math.max(0, all.ready - run.misfits) }
  const left = counts.blocked + counts.ready + counts.pending + counts.running
  return {
    ...workflow,
    jobs_by_status: counts,
    total_jobs: run.members.total,
    active_compute_nodes: run.live_runners,
    is_complete: run.is_over || left === 0,
    is_canceled: run.state === 'canceled',
    next_retry_in_seconds: run.next_retry_in_seconds,
  }
}

/** What a job of an unknown kind runs: it says so, and no other try can help. */
const UNKNOWN_KIND_CODE = 64

function withKinds(reply: ExchangeReply, kinds: ReadonlyMap<number, string>): ExchangeReply {
  if (kinds.size === 0 || reply.claimed === undefined) return reply
  return { ...reply, claimed: reply.claimed.map(job => ofUnknownKind(job, kinds.get(job.id))) }
}

function ofUnknownKind(job: ClaimedJob, kind: string | undefined): ClaimedJob {
  if (kind === undefined) return job
  const words = `Cannot run this job as its kind is unknown: ${kind}`.replaceAll("'", '')
  return {
    ...job,
    command: `echo '${words}' >&2; exit ${UNKNOWN_KIND_CODE}`,
    invocation_script: undefined,
    options: { ...job.options, deterministic: { exit_codes: [UNKNOWN_KIND_CODE], log_patterns: [] } },
  }
}
