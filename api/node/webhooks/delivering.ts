import type { Db } from '../../../db/unit.ts'
import { deliverWebhooks } from '../../webhooks/deliver.ts'
import type { WebhookPolicy } from '../../webhooks/policy.ts'
import { createPost } from './post.ts'

/** How often it is looked whether something happened. */
const LOOK_MS = 1_000

/** Delivers webhooks from now on, one round at a time; the function it gives stops that and waits for the last round. */
export function startDelivering(db: Db, policy: WebhookPolicy, log: (line: string) => void): () => Promise<void> {
  const post = createPost(policy)
  let lastTrouble = ''
  let current: Promise<void> = Promise.resolve()
  let stopped = false
  let timer: NodeJS.Timeout | undefined

  function next(): void {
    if (stopped) return
    timer = setTimeout(() => {
      current = deliverWebhooks({ db, clock: Date.now, post, policy })
        .then(
          () => {
            lastTrouble = ''
          },
          (error: unknown) => {
            const trouble = error instanceof Error ? error.message : String(error)
            if (trouble !== lastTrouble) log(`Cannot deliver webhooks: ${trouble}`)
            lastTrouble = trouble
          },
        )
        .finally(next)
    }, LOOK_MS)
    // The server keeps the process alive, not this clock.
    timer.unref()
  }

  next()
  return () => {
    stopped = true
    clearTimeout(timer)
    return current
  }
}
