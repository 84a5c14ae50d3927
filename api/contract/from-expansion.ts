import * as v from 'valibot'
import { expansionSchema } from './expansion.ts'
import { optional, text } from './fields.ts'

/** An expanded workflow, and where it came from. */
export const fromExpansion = v.object({
  workflow: expansionSchema,
  user: optional(text),
  submission_directory: optional(text),
  source_path: optional(text),
  source_hash: optional(text),
})
