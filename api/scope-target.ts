import * as v from 'valibot'
import { type Resource, type Scope, WORKFLOW } from './access-scope.ts'
import { check, readJson } from './body.ts'
import type { AppRequest } from './context.ts'
import { integer } from './contract/fields.ts'
import { readInteger, readQuery } from './query.ts'

/** One row: a workflow, or something that belongs to one. */
export type Target = { resource: Resource; id: number }

/** The row that a request names, by its scope; undefined where it names none. Ends with 400 or 422 when that cannot be read. */
export async function targetOf(c: AppRequest, scope: Scope): Promise<Target | undefined> {
  switch (scope.kind) {
    case 'open':
    case 'guarded':
    case 'creation':
      return undefined
    case 'row':
      return { resource: scope.resource, id: readInteger('id', decoded(scope.id)) }
    case 'query':
      return { resource: WORKFLOW, id: readQuery(c, { workflow_id: 'integer!' }).workflow_id }
    case 'body': {
      const id = scope.list === undefined ? await bodyWorkflow(c) : await firstWorkflow(c, scope.list)
      return id === undefined ? undefined : { resource: WORKFLOW, id }
    }
  }
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
