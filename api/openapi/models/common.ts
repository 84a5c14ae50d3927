import * as v from 'valibot'
import { bool, integer, text } from '../../contract/fields.ts'

/** What replies of several nouns are made of. In replies a field that has no value is left out. */

export const ErrorReply = v.object({
  error: v.looseObject({
    error: text,
    code: text,
    message: text,
    field: v.optional(text),
    value: v.optional(v.unknown()),
  }),
})

export const DeleteCount = v.object({ count: integer })
export const Message = v.object({ message: text })
/** Deletes of one file, item or node give what was deleted; deletes of all say it in words too. */
export const DeletedAll = v.object({ count: integer, deleted_count: v.optional(integer), message: v.optional(text) })

/** A page of a list; one by key counts all only when asked to, and says where the next begins. */
export const listOf = <const S extends v.GenericSchema>(item: S) =>
  v.object({
    items: v.array(item),
    offset: integer,
    max_limit: integer,
    count: integer,
    total_count: v.optional(integer),
    has_more: bool,
    next_after_id: v.optional(v.union([integer, text])),
  })

/** Lists about access groups have a form of their own (contract/notes.md 2.1). */
export const groupListOf = <const S extends v.GenericSchema>(item: S) =>
  v.object({ items: v.array(item), offset: integer, limit: integer, total_count: integer, has_more: bool })

/** Lists of ours that are not paged. */
export const itemsOf = <const S extends v.GenericSchema>(item: S) => v.object({ items: v.array(item), count: integer })
