import { ControlPlaneError } from './client/must.ts'
import type { Client, Refusal, Reply } from './client.ts'
import type { LoopApi } from './loop.ts'
import type { ExchangeReply, HeartbeatReply, WorkflowSummary } from './wire.ts'

export type ObservedApi = LoopApi & {
  /** Why the last request had no answer; undefined after one that had. */
  readonly trouble: string | undefined
}

/** How long a control plane in this process may be unable to write before the run ends: then its disk is full. */
const EMBEDDED_PATIENCE_MS = 10_000

/** The control plane as the loop sees it. What may pass (no reply, overload) is no answer; any other refusal is thrown. */
export function createLoopApi(client: Client, workflowId: number, nodeId: number, embedded: boolean): ObservedApi {
  let trouble: string | undefined
  const again = { repeatable: true }
  let troubleSinceMs: number | undefined
  // A fault of a control plane in this very process does not go away by waiting, and a full disk seldom does.
  const mayPass = ({ status }: Refusal, forMs: number): boolean =>
    embedded ? status === 503 && forMs < EMBEDDED_PATIENCE_MS : status === undefined || status === 429 || status >= 500
  const answered = <T>(reply: Reply<T>): T | undefined => {
    trouble = reply.ok ? undefined : reply.message
    if (reply.ok) {
      troubleSinceMs = undefined
      return reply.value
    }
    troubleSinceMs ??= performance.now()
    if (mayPass(reply, performance.now() - troubleSinceMs)) return undefined
    throw new ControlPlaneError(reply.message)
  }
  return {
    get trouble() {
      return trouble
    },
    async exchange(request) {
      return answered(
        await client.request<ExchangeReply>('POST', `/workflows/${workflowId}/batch_complete_jobs`, request, again),
      )
    },
    async release(claims) {
      return answered(await client.request('POST', `/compute_nodes/${nodeId}/release`, { claims }, again)) !== undefined
    },
    async heartbeat(claims) {
      return answered(
        await client.request<HeartbeatReply>('POST', `/compute_nodes/${nodeId}/heartbeat`, { claims }, again),
      )
    },
    async summary() {
      return answered(await client.request<WorkflowSummary>('GET', `/workflows/${workflowId}/summary`))
    },
  }
}
