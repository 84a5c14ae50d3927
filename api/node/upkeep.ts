import type { Db } from '../../db/unit.ts'
import type { WebhookPolicy } from '../webhooks/policy.ts'
import { startTicking } from './ticking.ts'
import { startDelivering } from './webhooks/delivering.ts'

export type Upkeep = {
  log: (line: string) => void
  retentionMs: number | undefined
  webhooks: WebhookPolicy | undefined
}

/** Does for a database what no request does, from now on; the function it gives stops that and waits for what runs. */
export function lookAfter(db: Db, { log, retentionMs, webhooks }: Upkeep): () => Promise<void> {
  const stopTicking = startTicking(db, log, retentionMs)
  const stopDelivering = webhooks && startDelivering(db, webhooks, log)
  return async () => {
    await stopTicking()
    await stopDelivering?.()
  }
}
