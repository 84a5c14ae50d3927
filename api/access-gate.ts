import { findAccess, type Subject } from '../db/access-control.ts'
import type { Db } from '../db/unit.ts'
import { type Scope, scopeOf } from './access-scope.ts'
import type { AppRequest } from './context.ts'
import { AppError, missing } from './errors.ts'
import { type Target, targetOf } from './scope-target.ts'

/**
 * Holds the access rules (contract/notes.md 6.2) before an operation begins, for whom they hold: one statement tells to which workflow
 * it belongs and whether the caller may use that. What is missing ends with 404 here, so that nobody gets at a row that comes into
 * being between this look and the operation's own. An operation whose scope is not known is closed.
 */
export function accessGate(db: Db, basePath: string, isKnownPath: (c: AppRequest) => boolean) {
  return async (c: AppRequest, next: () => Promise<void>) => {
    const { subject } = c.var
    if (subject === undefined) return next()
    const method = c.req.method === 'HEAD' ? 'GET' : c.req.method
    const scope = scopeOf(method, c.req.path.slice(basePath.length))
    if (scope !== undefined) await holdScope(c, db, scope, subject)
    else if (isKnownPath(c)) throw forbidden('operation')
    return next()
  }
}

/** Names no workflow: to which one a row of another user belongs is not told. */
const forbidden = (what: string): AppError =>
  new AppError('forbidden', `Cannot use this ${what} as your user has no right to it`)

async function holdScope(c: AppRequest, db: Db, scope: Scope, subject: Subject): Promise<void> {
  switch (scope.kind) {
    case 'open':
    case 'guarded':
      return
    case 'creation':
      if (subject.name === null && !subject.hasAllRights)
        throw new AppError('forbidden', 'Cannot create a workflow without a user name')
      if (subject.fence != null && subject.fence.workflowId !== null)
        throw new AppError('forbidden', 'Cannot create a workflow with this token as it opens one workflow only')
      return
    default: {
      const target = await targetOf(c, scope)
      if (target !== undefined) await holdRow(db, target, subject, scope.kind === 'row' && scope.deniedLooksMissing)
    }
  }
}

/** Ends with 404 or 403 unless the subject may use the row's workflow. */
async function holdRow(
  db: Db,
  { resource: { table, noun }, id }: Target,
  subject: Subject,
  deniedLooksMissing: boolean,
): Promise<void> {
  const allowed = await db.read(() => findAccess(table, id, subject))
  if (allowed === undefined || (!allowed && deniedLooksMissing)) throw missing(noun, id)
  if (!allowed) throw forbidden('workflow')
}
