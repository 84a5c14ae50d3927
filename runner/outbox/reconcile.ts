import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Client } from '../client.ts'
import type { Delivery } from './deliver.ts'
import { deliverLeftover } from './leftovers.ts'
import { OUTBOX_SUFFIX } from './outbox-file.ts'

/** `foreign`: files of that name which are none of ours, or cannot be read. */
export type Reconciled = { deliveries: Delivery[]; foreign: string[] }

/**
 * Offers the completions of every outbox below a directory. A file that cannot be read, or a part of one, never keeps the others from being
 * told; without an answer the first file's trouble says so and the rest is not tried. With `again` what was answered is offered as well: for a
 * database that was restored from a backup.
 */
export async function reconcile(
  client: Client,
  root: string,
  { now, again }: { now: number; again: boolean },
): Promise<Reconciled> {
  const done: Reconciled = { deliveries: [], foreign: [] }
  // No database has this name: then no answer counts.
  const epoch = again ? `reconciled-${now}` : undefined
  for (const path of findOutboxes(root)) {
    const delivery = await deliverLeftover(client, path, { epoch, now })
    if (delivery === undefined) {
      done.foreign.push(path)
      continue
    }
    done.deliveries.push(delivery)
    if (delivery.trouble?.isAway) break
  }
  return done
}

/** Directories that cannot be read are passed over; links are not followed, so that no circle is walked. */
function* findOutboxes(directory: string): Generator<string> {
  for (const entry of listDirectory(directory)) {
    const path = join(directory, entry.name)
    if (entry.isDirectory()) yield* findOutboxes(path)
    else if (entry.isFile() && entry.name.endsWith(OUTBOX_SUFFIX)) yield path
  }
}

function listDirectory(path: string) {
  try {
    return readdirSync(path, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))
  } catch {
    return []
  }
}
