/** The part of JSON Schema that the contract files use: enough to tell whether a reply fits. */
export type Schema = {
  $ref?: string
  type?: string | string[]
  enum?: unknown[]
  nullable?: boolean
  properties?: Record<string, Schema>
  required?: string[]
  additionalProperties?: boolean | Schema
  items?: Schema
  oneOf?: Schema[]
  anyOf?: Schema[]
  allOf?: Schema[]
}

type Definitions = Record<string, Schema>

/** Says where a value does not fit a schema; an empty list when it does. Unknown fields are fine, as they are to every client. */
export function misfits(value: unknown, schema: Schema, definitions: Definitions, at = 'body'): string[] {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.slice(schema.$ref.lastIndexOf('/') + 1)
    const found = definitions[name]
    if (found === undefined) throw new Error(`Cannot find the schema ${name}`)
    return misfits(value, found, definitions, at)
  }
  const choices = schema.oneOf ?? schema.anyOf
  if (choices !== undefined) {
    const tries = choices.map(choice => misfits(value, choice, definitions, at))
    return tries.some(found => found.length === 0) ? [] : tries.flat()
  }
  if (schema.allOf !== undefined) return schema.allOf.flatMap(part => misfits(value, part, definitions, at))
  if (value === null && schema.nullable) return []
  if (schema.enum !== undefined && !schema.enum.includes(value))
    return [`${at} is none of the words: ${JSON.stringify(value)}`]
  const types = schema.type === undefined ? [] : [schema.type].flat()
  if (types.length > 0 && !types.some(type => isOfType(value, type)))
    return [`${at} is no ${types.join(' or ')}: ${JSON.stringify(value)}`]
  if (Array.isArray(value))
    return value.flatMap((item, k) => (schema.items ? misfits(item, schema.items, definitions, `${at}.${k}`) : []))
  if (typeof value !== 'object' || value === null) return []
  return [...missing(value, schema, at), ...wrongFields(value, schema, definitions, at)]
}

function isOfType(value: unknown, type: string): boolean {
  switch (type) {
    case 'null':
      return value === null
    case 'integer':
      return Number.isSafeInteger(value)
    case 'array':
      return Array.isArray(value)
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value)
    default:
      return typeof value === type
  }
}

const missing = (value: object, schema: Schema, at: string): string[] =>
  (schema.required ?? []).filter(name => !Object.hasOwn(value, name)).map(name => `${at}.${name} is missing`)

const wrongFields = (value: object, schema: Schema, definitions: Definitions, at: string): string[] =>
  Object.entries(value).flatMap(([name, field]) => {
    const known = schema.properties?.[name]
    return known === undefined ? [] : misfits(field, known, definitions, `${at}.${name}`)
  })
