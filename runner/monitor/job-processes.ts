import type { Seen } from './process-table.ts'

/**
 * The processes of each launch, found by what they descend from. A launch's main process is the only child of its slot, and orphans become
 * the slot's children (the native launcher's slots are subreapers), so that all that hangs below the slot is the launch's. Below a slot of
 * the stand-in orphans are lost, unless they stayed in the main process's group. A launch whose main process is gone has none.
 */
export function processesOf(table: ReadonlyMap<number, Seen>, mains: ReadonlyMap<number, number>): Map<number, Seen[]> {
  const found = new Map<number, Seen[]>()
  const owners = new Map<number, number | undefined>()
  for (const [pid, tag] of mains) {
    const main = table.get(pid)
    if (main === undefined) continue
    found.set(tag, [])
    owners.set(pid, tag)
    // A main process without a slot has been adopted by the system, as everybody's orphans are.
    if (main.parent > 1) owners.set(-main.parent, tag)
  }
  if (found.size === 0) return found
  for (const seen of table.values()) {
    const tag = ownerOf(seen, table, owners) ?? owners.get(seen.group)
    if (tag !== undefined) found.get(tag)?.push(seen)
  }
  return found
}

/** `owners` holds main processes, what was found out about others, and slots under their negative numbers: their children are owned. */
function ownerOf(
  seen: Seen,
  table: ReadonlyMap<number, Seen>,
  owners: Map<number, number | undefined>,
): number | undefined {
  const { pid, parent } = seen
  if (owners.has(pid)) return owners.get(pid)
  // Set first: a table that is read while pids are given anew may hold a loop.
  owners.set(pid, undefined)
  const above = table.get(parent)
  const owner = owners.get(-parent) ?? (above && ownerOf(above, table, owners))
  owners.set(pid, owner)
  return owner
}
