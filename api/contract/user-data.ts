import * as v from 'valibot'
import { bool, integer, json, optional, text } from './fields.ts'

export const NewUserData = v.object({
  workflow_id: integer,
  name: text,
  is_ephemeral: optional(bool),
  data: optional(json),
})
export type NewUserData = v.InferOutput<typeof NewUserData>

export const UserDataChange = v.object({ name: optional(text), is_ephemeral: optional(bool), data: optional(json) })

export const BulkUserData = v.object({ user_data: v.array(NewUserData) })
