import type { Client } from '../client.ts'
import type { LoopApi } from '../loop.ts'
import { deliver } from './deliver.ts'
import type { Epochs } from './epoch.ts'
import type { Outbox } from './outbox.ts'
import { readOutboxFile } from './outbox-file.ts'

export type OutboxApiOptions = { client: Client; outbox: Outbox; epochs: Epochs; clock: () => number }

/**
 * The control plane with every completion on disk before it is sent and noted when it was answered. When another database answers than
 * before, such as one restored from a backup, it is offered what the former one has taken in the last minutes as well.
 */
export function withOutbox(api: LoopApi, { client, outbox, epochs, clock }: OutboxApiOptions): LoopApi {
  let known = epochs.current

  /** True when everything was offered to the database that answers now; what it refuses, it would refuse again. */
  async function catchUp(epoch: string): Promise<boolean> {
    for (const path of outbox.files()) {
      const file = readOutboxFile(path)
      if (file === undefined) continue
      // The answers are this outbox's own to note; one who asks twice gets duplicates.
      const { trouble } = await deliver(client, file, { epoch, now: clock(), mayNote: false })
      if (trouble?.isAway) return false
    }
    return true
  }

  return {
    ...api,
    async exchange(request) {
      outbox.flush()
      const reply = await api.exchange(request)
      const epoch = epochs.current
      if (reply === undefined || epoch === undefined) return reply
      outbox.answered(request.completions, epoch)
      if (known === undefined || known === epoch || (await catchUp(epoch))) known = epoch
      return reply
    },
  }
}
