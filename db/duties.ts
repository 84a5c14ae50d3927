import type { duty } from './schema.ts'
import { all, one, run, type Unit } from './unit.ts'

/** What one process at a time sees to for a workflow (`watch`, a plan of allocations), and what the next one has to know. */
export type DutyRow = typeof duty.$inferSelect

/**
 * Takes a duty that is free or lapsed, or renews one's own; undefined when somebody else has it. A time of 0 gives it back. The state
 * stays when none is given, so that a successor reads what its predecessor knew.
 */
export function* takeDuty(
  claim: { workflowId: number; name: string; holder: string; leaseMs: number; state: string | undefined },
  now: number,
): Unit<DutyRow | undefined> {
  yield* run(
    'INSERT OR IGNORE INTO duty (workflow_id, name, holder, expires_at, state) VALUES (?, ?, NULL, 0, NULL)',
    claim.workflowId,
    claim.name,
  )
  return yield* one<DutyRow>(
    `UPDATE duty SET holder = CASE WHEN ?4 > 0 THEN ?3 END, expires_at = ?5 + ?4, state = ifnull(?6, state)
     WHERE workflow_id = ?1 AND name = ?2 AND (holder IS NULL OR holder = ?3 OR expires_at <= ?5) RETURNING *`,
    claim.workflowId,
    claim.name,
    claim.holder,
    claim.leaseMs,
    now,
    claim.state ?? null,
  )
}

export function* findDuty(workflowId: number, name: string): Unit<DutyRow | undefined> {
  return yield* one<DutyRow>('SELECT * FROM duty WHERE workflow_id = ? AND name = ?', workflowId, name)
}

export function* listDuties(workflowId: number): Unit<DutyRow[]> {
  return yield* all<DutyRow>('SELECT * FROM duty WHERE workflow_id = ? ORDER BY name', workflowId)
}
