import { ControlPlaneError } from './client/must.ts'
import type { Client, Refusal, Reply } from './client.ts'
import type { LoopApi } from './loop.ts'
import type { ExchangeReply, HeartbeatReply, WorkflowSummary } from './wire.ts'

export type ObservedApi = LoopApi & {
  /** Why the last request had no answer; undefined after one that had. */
  readonly trouble: string | undefined
  isShutOut(): boolean
}

/** How long a control plane in this process may be unable to write before the run ends: then its disk is full. */
const EMBEDDED_PATIENCE_MS = 10_000

/** A token that has expired or was revoked, or opens this no more: whoever runs jobs then finishes them, and has their ends in the outbox. */
const SHUT_OUT: ReadonlySet<number | undefined> = new Set([401, 403])

/**
 * Turns replies into answers. What may pass (no reply, overload) is no answer, nor is that this runner may not ask any more; any other
 * refusal is thrown.
 */
export type Answers = {
  readonly trouble: string | undefined
  isShutOut(): boolean
  valueOf<T>(reply: Reply<T>): T | undefined
}

/** `embedded`: a fault of a control plane in this very process does not go away by waiting, and a full disk seldom does. */
export function answersOf({ embedded }: { embedded: boolean }): Answers {
  let trouble: string | undefined
  let shutOut = false
  let troubleSinceMs: number | undefined
  const mayPass = ({ status }: Refusal, forMs: number): boolean =>
    embedded
      ? status === 503 && forMs < EMBEDDED_PATIENCE_MS
      : status === undefined || status === 408 || status === 429 || status >= 500
  return {
    get trouble() {
      return trouble
    },
    isShutOut: () => shutOut,
    valueOf(reply) {
      trouble = reply.ok ? undefined : reply.message
      // No reply says nothing of the token.
      if (reply.ok || reply.status !== undefined) shutOut = !embedded && !reply.ok && SHUT_OUT.has(reply.status)
      if (reply.ok) {
        troubleSinceMs = undefined
        return reply.value
      }
      if (shutOut) return undefined
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
    isShutOut: answers.isShutOut,
    async exchange(request) {
      return answers.valueOf(
        await client.request<ExchangeReply>('POST', `/workflows/${workflowId}/batch_complete_jobs`, request, again),
      )
    },
    async release(claims) {
      const path = `/compute_nodes/${nodeId}/release`
      return answers.valueOf(await client.request('POST', path, { claims }, again)) !== undefined
    },
    async heartbeat(claims, lease_seconds) {
      const path = `/compute_nodes/${nodeId}/heartbeat`
      return answers.valueOf(await client.request<HeartbeatReply>('POST', path, { claims, lease_seconds }, again))
    },
    async summary() {
      return answers.valueOf(await client.request<WorkflowSummary>('GET', `/workflows/${workflowId}/summary`))
    },
  }
}
