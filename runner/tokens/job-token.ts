import type { Proof } from '../client/authorization.ts'
import type { Client } from '../client.ts'
import { mintToken } from './mint.ts'

/** Longer than any job runs; the server gives no more than what our own token has left. */
const LONGEST_SECONDS = 30 * 86_400

/**
 * Gets what jobs of a workflow show to the server: it opens their workflow alone. Undefined where nobody has to show anything, and where
 * the server gives none: then jobs have to do without, since the runner's own must never reach them (design.md, Trust).
 */
export async function jobToken(client: Client, workflowId: number, { token }: Proof): Promise<string | undefined> {
  if (token === undefined) return undefined
  const reply = await mintToken(client, workflowId, { kind: 'job', seconds: LONGEST_SECONDS })
  return reply.ok ? reply.value.token : undefined
}
