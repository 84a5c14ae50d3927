import { isGroupAdmin, isSystemAdmin, type Subject } from '../db/access-control.ts'
import type { Unit } from '../db/unit.ts'
import type { AppEnv } from './context.ts'
import { AppError } from './errors.ts'

/** What contract/notes.md 6.2 asks of a caller beyond the use of a workflow: these end with 403. No subject: no rules. */

type Caller = Subject | undefined

export function* needSystemAdmin(caller: Caller): Unit<void> {
  if (caller === undefined || (yield* isSystemAdmin(caller))) return
  throw new AppError('forbidden', 'Cannot do this as only system administrators may')
}

/** The user himself, or a system administrator. */
export function* needUser(caller: Caller, user: string): Unit<void> {
  if (caller === undefined || caller.name === user || (yield* isSystemAdmin(caller))) return
  throw new AppError('forbidden', 'Cannot show what concerns another user as only system administrators may see it')
}

export function* needGroupAdmin(caller: Caller, groupId: number): Unit<void> {
  if (caller === undefined || (yield* isGroupAdmin(groupId, caller)) || (yield* isSystemAdmin(caller))) return
  throw new AppError('forbidden', `Cannot change access group ${groupId} as only its administrators may`)
}

/** Owners of a workflow, administrators of the group, and system administrators link and unlink them. */
export function* needOwnerOrGroupAdmin(caller: Caller, owner: string, groupId: number): Unit<void> {
  if (caller === undefined || caller.name === owner) return
  yield* needGroupAdmin(caller, groupId)
}

/** A workflow is given away by its owner or a system administrator only. */
export function* needOwner(caller: Caller, owner: string): Unit<void> {
  if (caller === undefined || caller.hasAllRights || caller.name === owner || (yield* isSystemAdmin(caller))) return
  throw new AppError('forbidden', 'Cannot change the owner of the workflow as only its owner may', { field: 'user' })
}

/** Whose a new workflow is: for whom the rules hold, always the caller's own (contract/notes.md 6.2). */
export const ownerOfNew = ({ user, subject }: AppEnv['Variables'], wanted: string | null | undefined): string =>
  subject === undefined || subject.hasAllRights ? (wanted ?? user) : user

/**
 * The project of a new workflow, or the one it is given: a token of one project puts workflows into that one alone, else runners of
 * another project would run its commands. Ends with 403; with 422 in the database of no project, where each has its own.
 */
export function projectOf(
  { subject, home }: AppEnv['Variables'],
  wanted: string | null | undefined,
): string | undefined {
  const own = subject?.fence?.project ?? undefined
  if (home !== undefined && own === undefined && wanted != null)
    throw new AppError(
      'invalid',
      'Cannot put a workflow of a project here as each project has a database of its own: use a token of that project',
      { field: 'project' },
    )
  if (own === undefined || wanted == null || wanted === own) return own ?? wanted ?? undefined
  throw new AppError('forbidden', 'Cannot use this project as the token opens another one', { field: 'project' })
}
