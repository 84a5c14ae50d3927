import { toJsonSchema } from '@valibot/to-json-schema'
import * as v from 'valibot'
import { textOrObject } from '../contract/fields.ts'

/** A JSON Schema as an OpenAPI 3.1 document holds it. */
export type JsonSchema = {
  $ref?: string
  type?: string | string[]
  format?: string
  enum?: unknown[]
  const?: unknown
  properties?: Record<string, JsonSchema>
  required?: string[]
  additionalProperties?: boolean | JsonSchema
  items?: JsonSchema
  anyOf?: JsonSchema[]
  oneOf?: JsonSchema[]
  [other: string]: unknown
}

/** Converts a wire schema, as what is sent: before any transformation. Schemas that stand in `names` become references. */
export function jsonSchemaOf(schema: v.GenericSchema, names: ReadonlyMap<v.GenericSchema, string>): JsonSchema {
  const converted = toJsonSchema(schema, {
    target: 'draft-2020-12',
    typeMode: 'input',
    errorMode: 'ignore',
    overrideSchema({ valibotSchema }) {
      const name = valibotSchema === schema ? undefined : names.get(valibotSchema as v.GenericSchema)
      if (name !== undefined) return { $ref: `#/components/schemas/${name}` }
      // The only custom schemas are of fields that hold any object; some of them take its text too.
      if (valibotSchema.reference === v.custom)
        return { type: valibotSchema === (textOrObject as unknown) ? ['string', 'object'] : 'object' }
      return undefined
    },
  })
  const { $schema: _, ...found } = converted as JsonSchema
  return tidy(found) as JsonSchema
}

/** Says the same in fewer words: the bounds of every integer as a format, and "or null" as a second type. */
function tidy(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(tidy)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([key, inner]) => [key, tidy(inner)])
  return withNull(withFormat(Object.fromEntries(entries) as JsonSchema))
}

function withFormat(schema: JsonSchema): JsonSchema {
  const { minimum, maximum, ...rest } = schema
  if (maximum !== Number.MAX_SAFE_INTEGER) return schema
  const format = { ...rest, format: 'int64' }
  return minimum === Number.MIN_SAFE_INTEGER ? format : { ...format, minimum }
}

function withNull(schema: JsonSchema): JsonSchema {
  const { anyOf, ...rest } = schema
  const [given, nothing] = anyOf ?? []
  if (anyOf?.length !== 2 || nothing?.type !== 'null' || given?.type === undefined) return schema
  const words = given.enum === undefined ? {} : { enum: [...given.enum, null] }
  return { ...rest, ...given, ...words, type: [...[given.type].flat(), 'null'] }
}
