import * as v from 'valibot'
import { integer, optional, text, textOrObject } from './fields.ts'

const described = { file_id: optional(integer), entity_id: text, entity_type: text, metadata: textOrObject }

export const NewRoCrateEntity = v.object({ workflow_id: integer, ...described })
export const RoCrateEntityChange = v.object(described)
export type RoCrateEntityChange = v.InferOutput<typeof RoCrateEntityChange>
