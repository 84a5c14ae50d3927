import { mayPass } from '../client/reply.ts'
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
  /** Why some of it was not taken; `isAway`: nobody answers now, and the rest was not offered. */
  trouble?: Trouble
}

type Trouble = { message: string; isAway: boolean }

export type DeliverOptions = {
  /** The database that is asked now; what another one answered is offered again. undefined: any answer counts. */
  epoch: string | undefined
  now: number
  /** Whether to note answers in the file: not in one that its runner may still write. */
  mayNote: boolean
}

/** Torc's clients send as many; a batch this large is a matter of milliseconds. */
const BATCH = 500

/**
 * Offers the unanswered completions of a file again, in order. Repeating it is a no-op: the server takes them as duplicates. A workflow
 * that is refused as a whole, such as one that was deleted, keeps those of others from nothing.
 */
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
    for (const workflowId of new Set(batch.map(({ entry }) => entry.result.workflow_id))) {
      const own = batch.filter(({ entry }) => entry.result.workflow_id === workflowId)
      const trouble = await offer(client, workflowId, own, delivery)
      if (trouble === undefined) noteAnswers(file, own, options)
      else delivery.trouble ??= trouble
      if (trouble?.isAway) return { ...delivery, trouble }
    }
  }
  return delivery
}

/** Offers completions of one workflow; returns what kept them from being answered. */
async function offer(
  client: Client,
  workflowId: number,
  waiting: OutboxFile['entries'],
  delivery: Delivery,
): Promise<Trouble | undefined> {
  const completions: CompletionEntry[] = waiting.map(({ entry }) => entry)
  const reply = await client.request<ExchangeReply>(
    'POST',
    `/workflows/${workflowId}/batch_complete_jobs`,
    { completions, verdicts: true },
    { repeatable: true },
  )
  if (!reply.ok) return { message: reply.message, isAway: mayPass(reply) }
  delivery.offered += completions.length
  for (const { code } of reply.value.verdicts ?? []) count(delivery, code)
  return undefined
}

function noteAnswers(
  { path }: OutboxFile,
  answered: OutboxFile['entries'],
  { epoch = '', now: atMs, mayNote }: DeliverOptions,
): void {
  const seqs = answered.map(({ seq }) => seq)
  if (mayNote) appendAnswers(path, seqs, { atMs, epoch })
}

function count(delivery: Delivery, code: string): void {
  if (code === 'accepted' || code === 'salvaged') delivery.accepted++
  else if (code === 'duplicate') delivery.duplicates++
  else delivery.refused[code] = (delivery.refused[code] ?? 0) + 1
}
