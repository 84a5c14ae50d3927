/** As much of JSON Schema (draft 7) as the schema of workflow files uses. An unknown word throws: it would be checked by nobody. */
export type JsonSchema = { [word: string]: unknown }

/** Says where a value does not fit a schema; an empty list when it does. */
export function misfits(value: unknown, schema: JsonSchema, root: JsonSchema = schema, at = '$'): string[] {
  return Object.keys(schema).flatMap(word => {
    const check = Object.hasOwn(WORDS, word) ? WORDS[word] : undefined
    if (check === undefined) throw new Error(`Cannot check the word ${word} of a schema`)
    return check(value, schema, root, at)
  })
}

type Check = (value: unknown, schema: JsonSchema, root: JsonSchema, at: string) => string[]

const fine: Check = () => []
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const fits = (value: unknown, schema: unknown, root: JsonSchema) =>
  misfits(value, schema as JsonSchema, root).length === 0

const WORDS: Record<string, Check> = {
  $schema: fine,
  title: fine,
  description: fine,
  definitions: fine,
  // Belongs to `if`.
  // biome-ignore lint/suspicious/noThenProperty: the word is JSON Schema's.
  then: fine,
  $ref: (value, { $ref }, root, at) => {
    const name = String($ref).replace('#/definitions/', '')
    const found = (root.definitions as Record<string, JsonSchema>)[name]
    if (found === undefined) throw new Error(`Cannot find the definition ${name}`)
    return misfits(value, found, root, at)
  },
  type: (value, { type }, _, at) =>
    [type].flat().some(name => hasType(value, name as string)) ? [] : [`${at} is no ${[type].flat().join(' or ')}`],
  enum: (value, schema, _, at) => ((schema.enum as unknown[]).includes(value) ? [] : [`${at} is no word of the list`]),
  minimum: (value, { minimum }, _, at) =>
    typeof value === 'number' && value < (minimum as number) ? [`${at} is too small`] : [],
  maximum: (value, { maximum }, _, at) =>
    typeof value === 'number' && value > (maximum as number) ? [`${at} is too large`] : [],
  pattern: (value, { pattern }, _, at) =>
    typeof value === 'string' && !new RegExp(String(pattern), 'u').test(value) ? [`${at} does not match`] : [],
  minItems: (value, { minItems }, _, at) =>
    Array.isArray(value) && value.length < (minItems as number) ? [`${at} has too few items`] : [],
  items: (value, { items }, root, at) =>
    Array.isArray(value) ? value.flatMap((item, k) => misfits(item, items as JsonSchema, root, `${at}[${k}]`)) : [],
  required: (value, { required }, _, at) =>
    isObject(value)
      ? (required as string[]).filter(key => !Object.hasOwn(value, key)).map(key => `${at} lacks ${key}`)
      : [],
  properties: (value, schema, root, at) =>
    entriesOf(value).flatMap(([key, member]) => {
      const known = propertiesOf(schema)[key]
      return known === undefined ? [] : misfits(member, known, root, `${at}.${key}`)
    }),
  additionalProperties: (value, schema, root, at) =>
    entriesOf(value)
      .filter(([key]) => !Object.hasOwn(propertiesOf(schema), key))
      .flatMap(([key, member]) => {
        const { additionalProperties: rest } = schema
        return rest === false ? [`${at} has no key ${key}`] : misfits(member, rest as JsonSchema, root, `${at}.${key}`)
      }),
  propertyNames: (value, { propertyNames }, root, at) =>
    entriesOf(value).flatMap(([key]) => misfits(key, propertyNames as JsonSchema, root, `${at} key ${key}`)),
  anyOf: (value, { anyOf }, root, at) =>
    (anyOf as JsonSchema[]).some(choice => fits(value, choice, root)) ? [] : [`${at} fits none of the choices`],
  allOf: (value, { allOf }, root, at) => (allOf as JsonSchema[]).flatMap(part => misfits(value, part, root, at)),
  if: (value, schema, root, at) =>
    fits(value, schema.if, root) ? misfits(value, schema.then as JsonSchema, root, at) : [],
}

const entriesOf = (value: unknown): [string, unknown][] => (isObject(value) ? Object.entries(value) : [])
const propertiesOf = ({ properties = {} }: JsonSchema) => properties as Record<string, JsonSchema>

function hasType(value: unknown, type: string): boolean {
  switch (type) {
    case 'null':
      return value === null
    case 'array':
      return Array.isArray(value)
    case 'object':
      return isObject(value)
    case 'integer':
      return Number.isInteger(value)
    default:
      return typeof value === type
  }
}
