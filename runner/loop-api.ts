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

/** Turns replies into answers. What may pass (no reply, overload) is no answer; any other refusal is thrown. */
export type Answers = { readonly trouble: string | undefined; valueOf<T>(reply: Reply<T>): T | undefined }

/** `embedded`: a fault of a control plane in this very process does not go away by waiting, and a full disk seldom does. */
export function answersOf({ embedded }: { embedded: boolean }): Answers {
  let trouble: string | undefined
  let troubleSinceMs: number | undefined
  const mayPass = ({ status }: Refusal, forMs: number): boolean =>
    embedded ? status === 503 && forMs < EMBEDDED_PATIENCE_MS : status === undefined || status === 429 || status >= 500
  return {
    get trouble() {
      return trouble
    },
    valueOf(reply) {
      trouble = reply.ok ? undefined : reply.message
      if (reply.ok) {
        troubleSinceMs = undefined
        return reply.value
      }
      troubleSinceMs ??= performance.now()
      if (mayPass(reply, performance.now() - troubleSinceMs)) return undefined
      throw new ControlPlaneError(reply)
    },
  }
}

/** The control plane as the loop sees it that works for one workflow. */
export function createLoopApi(client: Client, workflowId: number, nodeId: number, embedded: boolean): ObservedApi {
  const answers = answersOf({ embedded })
  const again = { repeatable: true }
  return {
    get trouble() {
      return answers.trouble
    },
    async exchange(request) {
      return answers.valueOf(
        await client.request<ExchangeReply>('POST', `/workflows/${workflowId}/batch_complete_jobs`, request, again),
      )
    },
    async release(claims) {
      const path = `/compute_nodes/${nodeId}/release`
      return answers.valueOf(await client.request('POST', path, { claims }, again)) !== undefined
    },
    async heartbeat(claims) {
      return answers.valueOf(
        await client.request<HeartbeatReply>('POST', `/compute_nodes/${nodeId}/heartbeat`, { claims }, again),
      )
    },
    async summary() {
      return answers.valueOf(await client.request<WorkflowSummary>('GET', `/workflows/${workflowId}/summary`))
    },
  }
}
