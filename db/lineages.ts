import { one, run, type Unit } from './unit.ts'
import { insertUserData } from './user-data.ts'

/**
 * What a chain of spawning jobs remembers: a user_data row per generation, and one when it says that it is done. Clients read the rows by
 * these names.
 */
const prefixOf = (lineage: string): string => `__torc_lineage__${lineage}__`

/** The newest generation of a lineage; 0 before its first. */
export function* findGeneration(workflowId: number, lineage: string): Unit<number> {
  const prefix = `${prefixOf(lineage)}g`
  const row = yield* one<{ n: number }>(
    `SELECT ifnull(max(CAST(substr(name, length(?1) + 1) AS INTEGER)), 0) AS n FROM user_data
     WHERE workflow_id = ?2 AND substr(name, 1, length(?1)) = ?1 AND substr(name, length(?1) + 1) GLOB '[0-9][0-9][0-9][0-9][0-9][0-9]*'`,
    prefix,
    workflowId,
  )
  return row!.n
}

/** Records a generation and the state its spawner left for the next one. */
export function* recordGeneration(
  workflowId: number,
  lineage: string,
  generation: number,
  count: number,
  state: unknown,
): Unit<void> {
  const name = `${prefixOf(lineage)}g${String(generation).padStart(6, '0')}`
  const data = JSON.stringify({ generation, spawn_count: count, state: state ?? null })
  yield* insertUserData(workflowId, [{ name, is_ephemeral: 1, data }])
}

/** Records the last state of a lineage, in the place of what was recorded as such before. */
export function* recordFinalState(workflowId: number, lineage: string, generation: number, state: unknown): Unit<void> {
  const name = `${prefixOf(lineage)}final`
  const data = JSON.stringify({ generation, spawn_count: 0, final: true, state })
  const found = yield* one<{ id: number }>(
    'SELECT id FROM user_data WHERE workflow_id = ? AND name = ?',
    workflowId,
    name,
  )
  if (found === undefined) yield* insertUserData(workflowId, [{ name, is_ephemeral: 1, data }])
  else yield* run('UPDATE user_data SET data = ? WHERE id = ?', data, found.id)
}
