import * as v from 'valibot'
import { integer, optional, text } from './fields.ts'

const name = v.pipe(text, v.nonEmpty('must not be empty'))

export const NewAccessGroup = v.object({ name, description: optional(text) })

/** `group_id` is required by the contract's schema, but the path says which group is meant (contract/notes.md 6.3). */
export const NewMembership = v.object({
  user_name: name,
  role: v.picklist(['member', 'admin'], 'must be member or admin'),
  group_id: optional(integer),
})
