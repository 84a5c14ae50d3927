import type { Client } from '../client.ts'
import type { CompletionEntry, ExchangeReply } from '../wire.ts'
import { appendAnswers, type OutboxFile, unanswered } from './outbox-file.ts'

/** What became of the completions of one file. */
export type Delivery = {
  path: string
  /** Completions in the file, and those of them that were offered now. */
  entries: number
  offered: number
  accepted: number
  duplicates: number
  /** How many were refused, by verdict. They are answered: offering them again changes nothing. */
  refused: Record<string, number>
  torn: number
  /** Why the rest was not offered; `isAway`: there was no answer at all. */
  trouble?: { message: string; isAway: boolean }
}

export type DeliverOptions = {
  /** The database that is asked now; what another one answered is offered again. undefined: any answer counts. */
  epoch: string | undefined
  now: number
  /** Whether to note answers in the file: not in one that its runner may still write. */
  mayNote: boolean
}

/** Torc's clients send as many; a batch this large is a matter of milliseconds. */
const BATCH = 500

/** Offers the unanswered completions of a file again, in order. Repeating it is a no-op: the server takes them as duplicates. */
export async function deliver(client: Client, file: OutboxFile, options: DeliverOptions): Promise<Delivery> {
  const waiting = unanswered(file, options.epoch)
  const delivery: Delivery = {
    path: file.path,
    entries: file.entries.length,
    offered: 0,
    accepted: 0,
    duplicates: 0,
    refused: {},
    torn: file.torn,
  }
  for (let at = 0; at < waiting.length; at += BATCH) {
    const batch = waiting.slice(at, at + BATCH)
    const trouble = await offer(
      client,
      batch.map(({ entry }) => entry),
      delivery,
    )
    if (trouble !== undefined) return { ...delivery, trouble }
    const { epoch = '', now: atMs } = options
    if (options.mayNote)
      appendAnswers(
        file.path,
        batch.map(({ seq }) => seq),
        { atMs, epoch },
      )
  }
  return delivery
}

/** Offers one batch; returns what kept it from being answered. */
async function offer(
  client: Client,
  entries: readonly CompletionEntry[],
  delivery: Delivery,
): Promise<Delivery['trouble']> {
  for (const workflowId of new Set(entries.map(entry => entry.result.workflow_id))) {
    const completions = entries.filter(entry => entry.result.workflow_id === workflowId)
    const reply = await client.request<ExchangeReply>(
      'POST',
      `/workflows/${workflowId}/batch_complete_jobs`,
      { completions, verdicts: true },
      { repeatable: true },
    )
    if (!reply.ok) return { message: reply.message, isAway: reply.status === undefined }
    delivery.offered += completions.length
    for (const { code } of reply.value.verdicts ?? []) count(delivery, code)
  }
  return undefined
}

function count(delivery: Delivery, code: string): void {
  if (code === 'accepted' || code === 'salvaged') delivery.accepted++
  else if (code === 'duplicate') delivery.duplicates++
  else delivery.refused[code] = (delivery.refused[code] ?? 0) + 1
}
