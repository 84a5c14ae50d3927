import * as v from 'valibot'
import { float, integer, optional, text } from './fields.ts'

export const NewFile = v.object({
  workflow_id: integer,
  name: text,
  path: text,
  st_mtime: optional(float),
  /** Ours: the stable provenance id of an input (spec-format.md 26.6). */
  identifier: optional(text),
})
export type NewFile = v.InferOutput<typeof NewFile>

export const FileChange = v.object({
  name: optional(text),
  path: optional(text),
  st_mtime: optional(float),
  identifier: optional(text),
})

export const BulkFiles = v.object({ files: v.array(NewFile) })
