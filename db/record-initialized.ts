import { storeInputHashes } from './input-hashes.ts'
import { refreshCrate } from './refresh-crate.ts'
import type { Db } from './unit.ts'

/**
 * What follows every initialise (contract/notes.md 8.1): the inputs that jobs will run on are noted, and the RO-Crate says what there is.
 * In short transactions of its own; after a crash the next initialise does it again.
 */
export async function recordInitialized(db: Db, workflowId: number): Promise<void> {
  await storeInputHashes(db, workflowId)
  await refreshCrate(db, workflowId)
}
