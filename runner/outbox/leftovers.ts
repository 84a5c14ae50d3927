import { statSync } from 'node:fs'
import { hostname } from 'node:os'
import type { Client } from '../client.ts'
import { isAlive, readProcess } from '../launcher/processes.ts'
import { type Delivery, deliver } from './deliver.ts'
import { KEPT_AFTER_ANSWER_MS, type OutboxFile, readOutboxFile, removeIfOver } from './outbox-file.ts'

/**
 * Offers what stands in a file that an earlier runner left, and removes the file when everything was answered long ago. A file of a runner
 * that may still live is offered as well, which does no harm, and left as it is. undefined: none of our files.
 */
export async function deliverLeftover(
  client: Client,
  path: string,
  { epoch, now }: { epoch: string | undefined; now: number },
): Promise<Delivery | undefined> {
  const file = readOutboxFile(path)
  if (file === undefined) return undefined
  // Another server's refusals say nothing about what ours would answer.
  const isStranger = epoch !== undefined && file.header.epoch !== undefined && file.header.epoch !== epoch
  const mayNote = !mayBeWritten(file, now) && !isStranger
  const delivery = await deliver(client, file, { epoch, now, mayNote })
  const after = mayNote ? readOutboxFile(path) : undefined
  if (after !== undefined) removeIfOver(after, now)
  return delivery
}

/** Whether its runner may still write it: processes of another host cannot be seen, so there it is the time that tells. */
function mayBeWritten({ path, header }: OutboxFile, now: number): boolean {
  if (header.host === hostname()) return header.pid !== process.pid && isAlive(readProcess(header.pid))
  const { mtimeMs } = statSync(path)
  return now - mtimeMs < KEPT_AFTER_ANSWER_MS
}
