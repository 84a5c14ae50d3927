import * as v from 'valibot'
import { findAccess, type Subject } from '../db/access-control.ts'
import type { Db } from '../db/unit.ts'
import { type Resource, type Scope, scopeOf } from './access-scope.ts'
import { check, readJson } from './body.ts'
import type { AppRequest } from './context.ts'
import { integer } from './contract/fields.ts'
import { AppError, missing } from './errors.ts'
import { readInteger, readQuery } from './query.ts'

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
    case 'row':
      return holdRow(db, scope.resource, readInteger('id', decoded(scope.id)), subject, scope.deniedLooksMissing)
    case 'query':
      return holdWorkflow(db, readQuery(c, { workflow_id: 'integer!' }).workflow_id, subject)
    case 'body': {
      const id = scope.list === undefined ? await bodyWorkflow(c) : await firstWorkflow(c, scope.list)
      if (id !== undefined) await holdWorkflow(db, id, subject)
    }
  }
}

/** Ends with 404 or 403 unless the subject may use the workflow. */
const holdWorkflow = (db: Db, id: number, subject: Subject): Promise<void> =>
  holdRow(db, { table: 'workflow', noun: 'Workflow' }, id, subject)

async function holdRow(
  db: Db,
  { table, noun }: Resource,
  id: number,
  subject: Subject,
  deniedLooksMissing = false,
): Promise<void> {
  const allowed = await db.read(() => findAccess(table, id, subject))
  if (allowed === undefined || (!allowed && deniedLooksMissing)) throw missing(noun, id)
  if (!allowed) throw forbidden('workflow')
}

const Owned = v.object({ workflow_id: integer })

async function bodyWorkflow(c: AppRequest): Promise<number> {
  return check(Owned, await readJson(c)).workflow_id
}

/** That of the first entry; the operation refuses entries of two workflows, and an empty list. */
async function firstWorkflow(c: AppRequest, list: string): Promise<number | undefined> {
  const { [list]: entries } = check(v.object({ [list]: v.array(v.unknown()) }), await readJson(c))
  return entries === undefined || entries.length === 0 ? undefined : check(Owned, entries[0]).workflow_id
}

/** As the router's parameters are decoded, so that both read the same number. */
function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}
