import { findAccess, type Subject } from '../db/access-control.ts'
import type { Db } from '../db/unit.ts'
import { scopeOf } from './access-scope.ts'
import type { AppRequest } from './context.ts'
import { AppError, EarlyRefusal, missing } from './errors.ts'
import { type Target, targetOf } from './scope-target.ts'

/** Existence is asked of nobody in particular. */
const ANYBODY: Subject = { name: null, hasAllRights: true }

/**
 * Existence comes before any other rule (contract/notes.md 4), though rules that need no database are looked at earlier because that is
 * cheaper: a request that was refused with 422 for a rule ends with 404 instead when what it names is not there. Where access rules hold,
 * their gate has looked already.
 */
export function existenceFirst(db: Db, basePath: string) {
  return async (c: AppRequest, next: () => Promise<void>) => {
    await next()
    if (c.res.status !== 422 || c.var.subject !== undefined || c.error instanceof EarlyRefusal) return
    const scope = scopeOf(c.req.method, c.req.path.slice(basePath.length))
    const target = scope && (await readTarget(() => targetOf(c, scope)))
    if (target === undefined) return
    const { resource, id } = target
    if ((await db.read(() => findAccess(resource.table, id, ANYBODY))) !== undefined) return
    const absent = missing(resource.noun, id)
    c.res = c.json(absent.body, absent.status)
  }
}

/** A request that does not say what it is about is refused for that. */
async function readTarget(read: () => Promise<Target | undefined>): Promise<Target | undefined> {
  try {
    return await read()
  } catch (error) {
    if (error instanceof AppError) return undefined
    throw error
  }
}
