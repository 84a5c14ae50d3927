import { type Entry, entryFor, type Group } from '../command-line/verb.ts'
import type { ControlPlane } from '../control-plane.ts'
import type { Column } from '../screen/table.ts'
import { createVerb } from './create-verb.ts'
import { deleteVerb } from './delete-verb.ts'
import type { Fields } from './fields.ts'
import { getVerb } from './get-verb.ts'
import { listVerb } from './list-verb.ts'
import { updateVerb } from './update-verb.ts'

/** One object of the wire. */
export type Row = Record<string, unknown>

/** A kind of object that the service keeps for a workflow: all that its verbs need to know of it. */
export type Noun = {
  /** As on the command line: `user-data`. */
  name: string
  /** In messages: `file`, `files`. */
  one: string
  many: string
  about: string
  /** Where the list is. */
  listPath(workflowId: number): string
  itemPath(id: number, workflowId: number): string
  /** Where a new one goes, if not to the list. */
  createPath?(workflowId: number): string
  /** Its verbs take `--workflow`: its address holds the workflow, or its names count in one. */
  takesWorkflow?: boolean
  /** It cannot be read by itself: it is looked for in the list. */
  readFromList?: boolean
  /** Its id by what people call it; only an id will do unless given. */
  find?(controlPlane: ControlPlane, text: string, workflow: string | undefined): Promise<number>
  /** The columns of the list: names of the wire, or how to show one. */
  columns: readonly (string | Column<Row>)[]
  fields: Fields
  filters?: Fields
  /** Which verbs it has; all of them unless given. */
  verbs?: readonly NounVerb[]
  /** What goes with every request for a list, whatever the options. */
  listQuery?: string
  /** The body of a new one; the given fields unless given. */
  newBody?(given: Row): Row
  /** The body of a change; the object as it is with the given fields in it, unless given. */
  changeBody?(given: Row): unknown
  /** Options of create for its examples: `--name grid --num-cpus 4`. */
  example?: { create?: string; update?: string }
}

export type NounVerb = 'list' | 'get' | 'create' | 'update' | 'delete'

const MAKERS = { list: listVerb, get: getVerb, create: createVerb, update: updateVerb, delete: deleteVerb }
const ALL = Object.keys(MAKERS) as NounVerb[]

/** An object of the wire that has an address of its own below the root: `/files/3`. */
export const flatPaths = (path: string): Pick<Noun, 'listPath' | 'createPath' | 'itemPath'> => ({
  listPath: workflowId => `${path}?workflow_id=${workflowId}`,
  createPath: () => path,
  itemPath: id => `${path}/${id}`,
})

/** The verbs of a noun, with those that only it has. */
export function nounGroup(noun: Noun, own: Readonly<Record<string, Entry>> = {}, fallback?: string): Group {
  const shared = (noun.verbs ?? ALL).map(verb => [verb, entryFor(MAKERS[verb](noun))] as const)
  return { about: noun.about, verbs: { ...Object.fromEntries(shared), ...own }, fallback }
}
