import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import type { Client, Reply } from './client.ts'

/** What the control plane tells of a duty. `state` is what the last holder left for the next. */
export type Duty = { name: string; holder?: string; expires_at: number; state?: Record<string, unknown> }

/** Tells processes apart that see to the same workflow, on one login node or several. */
export const newHolder = (): string => `${hostname()}:${process.pid}:${randomBytes(4).toString('hex')}`

type DutyClaim = { workflowId: number; name: string; holder: string; leaseSeconds: number }

/**
 * Takes a duty, or renews it, for a while; a process that is killed loses it when that is over. The refusal has status 409 when another
 * process has it.
 */
export function takeDuty(client: Client, claim: DutyClaim, state?: Record<string, unknown>): Promise<Reply<Duty>> {
  const { workflowId, name, holder, leaseSeconds } = claim
  const body = { name, holder, lease_seconds: leaseSeconds, state }
  return client.request<Duty>('POST', `/workflows/${workflowId}/duties`, body, { repeatable: true })
}

/** Gives back whatever duties of a workflow a process has, so that the next one need not wait. What cannot be told lapses. */
export async function leaveDuties(client: Client, workflowId: number, holder: string): Promise<void> {
  const reply = await client.request<{ items: Duty[] }>('GET', `/workflows/${workflowId}/duties`)
  if (!reply.ok) return
  for (const { name } of reply.value.items.filter(duty => duty.holder === holder))
    await takeDuty(client, { workflowId, name, holder, leaseSeconds: 0 })
}
