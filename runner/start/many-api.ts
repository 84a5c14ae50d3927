import { RENEWALS_PER_LEASE } from '../../api/core/leases.ts'
import type { Client } from '../client.ts'
import { answersOf, type ObservedApi } from '../loop-api.ts'
import type { NodeFacts } from '../node-facts.ts'
import type { WireWorkflow } from '../serving.ts'
import type { ClaimedJob, ExchangeReply, HeartbeatReply, WorkflowSummary } from '../wire.ts'
import { createClaimBook, type Place } from './claim-book.ts'
import type { Wanted } from './options.ts'
import type { ServedWorkflows } from './served.ts'

/** A workflow the runner hears of for the first time, with its node there. */
export type NewWorkflow = WireWorkflow & { id: number; compute_node_id: number }

type ManyReply = Omit<ExchangeReply, 'claimed' | 'summary'> & {
  jobs: (ClaimedJob & Place)[]
  workflows: NewWorkflow[]
}

export type ManyApiOptions = {
  client: Client
  wanted: Wanted
  node: NodeFacts
  served: ServedWorkflows
  leaseSeconds: number
}

export type ManyApi = ObservedApi & {
  /** These are claimed already: a runner that was killed has left them running. */
  goOn(jobs: readonly (ClaimedJob & Place)[]): void
}

/** What is known of the whole by a runner that serves whatever comes: nothing that would end it. */
const NOTHING_KNOWN: WorkflowSummary = {
  workflow_id: 0,
  name: '',
  run_id: 0,
  is_complete: false,
  is_canceled: false,
  total_jobs: 0,
  jobs_by_status: {},
  active_compute_nodes: 0,
  wait_for_new_jobs_seconds: 0,
}

/** The control plane as the loop of a runner sees it that serves many workflows: each talk is one request, whatever their number. */
export function createManyApi({ client, wanted, node, served, leaseSeconds }: ManyApiOptions): ManyApi {
  const book = createClaimBook()
  const answers = answersOf({ embedded: false })
  const again = { repeatable: true }
  const placed = <T extends { job_id: number }>(entries: readonly T[]): (T & Place)[] =>
    entries.flatMap(entry => {
      const place = book.placeOf(entry.job_id)
      return place === undefined ? [] : [{ ...place, ...entry }]
    })

  /** The first actions of a workflow may take their time, and nothing else is told meanwhile: the leases go on. */
  async function open(workflows: readonly NewWorkflow[]): Promise<void> {
    const renew = () => void client.request('POST', '/claims/heartbeat', { claims: book.claims() }, again)
    const beat = setInterval(renew, (leaseSeconds * 1000) / RENEWALS_PER_LEASE)
    try {
      for (const workflow of workflows) await served.open(workflow)
    } finally {
      clearInterval(beat)
    }
  }

  async function summary(): Promise<WorkflowSummary | undefined> {
    const compute_nodes = served.nodeIds()
    const { workflowIds: workflow_ids } = wanted
    if (workflow_ids === undefined && compute_nodes.length === 0) return NOTHING_KNOWN
    // Of those that are named, nodes elsewhere say nothing.
    const asked = workflow_ids === undefined ? { compute_nodes } : { workflow_ids }
    const found = answers.valueOf(
      await client.request<Partial<WorkflowSummary>>('POST', '/claims/summary', asked, again),
    )
    return (
      found && { ...NOTHING_KNOWN, ...found, is_complete: workflow_ids !== undefined && found.is_complete === true }
    )
  }

  return {
    get trouble() {
      return answers.trouble
    },
    isShutOut: answers.isShutOut,
    goOn: jobs => book.note(jobs),
    async exchange({ completions, started, claim, summary: wantsSummary }) {
      const body = {
        ...(claim ?? { limit: 0 }),
        workflow_ids: wanted.workflowIds,
        user: wanted.user,
        project: wanted.project,
        compute_nodes: served.nodeIds(),
        node,
        served: book.turns(),
        completions: completions.length === 0 ? undefined : completions,
        started: started && placed(started),
        verdicts: true,
      }
      const reply = answers.valueOf(await client.request<ManyReply>('POST', '/claims', body, again))
      if (reply === undefined) return undefined
      const { jobs, workflows, completed = [], errors = [], ...rest } = reply
      book.forget(completions.map(entry => entry.job_id))
      book.note(jobs)
      if (workflows.length > 0) await open(workflows)
      await served.retire(book.workflows())
      const told: ExchangeReply = { ...rest, completed, errors }
      if (claim === undefined) return told
      const isVain = wantsSummary === true && jobs.length === 0
      return { ...told, claimed: jobs, summary: isVain ? await summary() : undefined }
    },
    async release(claims) {
      const done = answers.valueOf(await client.request('POST', '/claims/release', { claims: placed(claims) }, again))
      if (done !== undefined) book.forget(claims.map(claim => claim.job_id))
      return done !== undefined
    },
    async heartbeat(claims, lease_seconds) {
      const body = { claims: placed(claims), lease_seconds }
      return answers.valueOf(await client.request<HeartbeatReply>('POST', '/claims/heartbeat', body, again))
    },
    summary,
  }
}
