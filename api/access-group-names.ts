import { isSystemAdmin, type Subject } from '../db/access-control.ts'
import { insertLink, resolveGroups } from '../db/access-groups.ts'
import type { Unit } from '../db/unit.ts'
import { AppError } from './errors.ts'

const FIELD = { field: 'access_groups' }

/**
 * Gives the ids of the groups that a new workflow names. Ends with 422 for a name that is unknown or given twice. For whom the rules
 * hold only own groups will do, else 403; that goes first, so that nobody learns which names exist (contract/notes.md 19.3, E10).
 */
export function* findNamedGroups(
  names: readonly string[] | null | undefined,
  caller: Subject | undefined,
): Unit<number[]> {
  if (names == null || names.length === 0) return []
  const repeated = names.find((name, index) => names.indexOf(name) !== index)
  if (repeated !== undefined)
    throw new AppError('invalid', 'Cannot create the workflow as an access group is named twice', FIELD)
  const found = yield* resolveGroups(names, caller?.name ?? null)
  const needsOwn = caller !== undefined && !(yield* isSystemAdmin(caller))
  if (needsOwn && found.some(group => group.is_member === 0))
    throw new AppError('forbidden', 'Cannot share the workflow with groups you are no member of', FIELD)
  return found.map(({ id }) => {
    if (id === null) throw new AppError('invalid', 'Cannot create the workflow as an access group is unknown', FIELD)
    return id
  })
}

export function* linkGroups(workflowId: number, groupIds: readonly number[], now: number): Unit<void> {
  for (const groupId of groupIds) yield* insertLink(workflowId, groupId, now)
}
