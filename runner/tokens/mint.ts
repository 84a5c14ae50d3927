import type { Client, Reply } from '../client.ts'
import type { TokenReply } from './wire.ts'

export type Minting = {
  /** `runner`: to claim and report; `job`: to read the workflow and add to it. */
  kind: 'runner' | 'job'
  /** The wall time and some slack; the server gives less when the token it is made with ends before. */
  seconds: number
  name?: string
}

/**
 * Asks for a token of one workflow, to be handed to an allocation or a job by a private file or by its environment, never as an argument:
 * every user of a machine can read those. A refusal tells that this server, or our own token, gives none.
 */
export const mintToken = (
  client: Client,
  workflowId: number,
  { kind, seconds, name }: Minting,
): Promise<Reply<TokenReply & { token: string }>> =>
  client.request('POST', `/workflows/${workflowId}/tokens`, { kind, expires_in_seconds: Math.ceil(seconds), name })
