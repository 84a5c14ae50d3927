/** What a program that was made for one document of an API may notice in another one. */

type Schema = {
  $ref?: string
  type?: string | string[]
  enum?: unknown[]
  const?: unknown
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema
  anyOf?: Schema[]
  oneOf?: Schema[]
  allOf?: Schema[]
}
type Content = Record<string, { schema?: Schema }>
type Operation = {
  operationId?: string
  parameters?: { name: string; in: string; required?: boolean; schema?: Schema }[]
  requestBody?: { required?: boolean; content: Content }
  responses: Record<string, { content?: Content }>
}
export type Document = {
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, Schema> }
}

/** Lists, one line each, where `ours` is not what `theirs` says; operations that only we have are no difference. */
export function differences(theirs: Document, ours: Document): string[] {
  return Object.entries(theirs.paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, operation]) => {
      const where = `${method} ${path}`
      const own = ours.paths[path]?.[method]
      if (own === undefined) return [`${where}: missing`]
      return [
        ...(own.operationId === operation.operationId ? [] : [`${where}: operationId is ${own.operationId}`]),
        ...ofParameters(operation, own, theirs, ours).map(line => `${where}: ${line}`),
        ...ofBodies(operation, own, theirs, ours).map(line => `${where}: body ${line}`),
        ...ofReplies(operation, own, theirs, ours).map(line => `${where}: reply ${line}`),
      ]
    }),
  )
}

function ofParameters(operation: Operation, own: Operation, theirs: Document, ours: Document): string[] {
  const mine = new Map((own.parameters ?? []).map(one => [`${one.in} ${one.name}`, one]))
  const names = new Set((operation.parameters ?? []).map(one => `${one.in} ${one.name}`))
  const found = (operation.parameters ?? []).flatMap(one => {
    const name = `${one.in} ${one.name}`
    const other = mine.get(name)
    if (other === undefined) return [`${name} is missing`]
    const types = lacking(typesOf(one.schema, theirs), typesOf(other.schema, ours))
    return [
      ...(other.required && !one.required ? [`${name} is required`] : []),
      ...(types.length > 0 ? [`${name} takes no ${types.join(' or ')}`] : []),
    ]
  })
  return [...found, ...[...mine.keys()].filter(name => !names.has(name)).map(name => `${name} is added`)]
}

function ofBodies(operation: Operation, own: Operation, theirs: Document, ours: Document): string[] {
  const one = schemaOf(operation.requestBody?.content)
  const other = schemaOf(own.requestBody?.content)
  if (one === undefined) return other === undefined ? [] : ['is added']
  if (other === undefined) return ['is missing']
  const required = own.requestBody?.required && !operation.requestBody?.required ? ['is required'] : []
  return [...required, ...compare(one, other, theirs, ours, 'taken', '')]
}

function ofReplies(operation: Operation, own: Operation, theirs: Document, ours: Document): string[] {
  return Object.entries(operation.responses).flatMap(([status, response]) => {
    const other = own.responses[status]
    if (other === undefined) return [`${status} is missing`]
    if (!status.startsWith('2')) return []
    const one = schemaOf(response.content)
    const given = schemaOf(other.content)
    if (one === undefined || given === undefined)
      return one === given ? [] : [`${status} is described on one side only`]
    return compare(one, given, theirs, ours, 'given', '').map(line => `${status} ${line}`)
  })
}

const schemaOf = (content: Content | undefined): Schema | undefined =>
  content === undefined ? undefined : Object.values(content)[0]?.schema

/** `taken`: bodies, where we may take more but must not ask for more. `given`: replies, where we may give more but not less. */
function compare(
  one: Schema,
  other: Schema,
  theirs: Document,
  ours: Document,
  way: 'taken' | 'given',
  at: string,
): string[] {
  const a = resolved(one, theirs)
  const b = resolved(other, ours)
  const typesA = typesOf(a, theirs)
  const typesB = typesOf(b, ours)
  const wrong = way === 'taken' ? lacking(typesA, typesB) : lacking(typesB, typesA)
  const here = at === '' ? 'itself' : at
  if (wrong.length > 0)
    return [
      `${here} ${way === 'taken' ? 'takes no' : 'may be'} ${wrong.join(' or ')} (${way === 'taken' ? typesB : typesA})`,
    ]
  const inner = (name: string) => (at === '' ? name : `${at}.${name}`)
  const found: string[] = []
  for (const [name, property] of Object.entries(a.properties ?? {})) {
    const mine = b.properties?.[name]
    if (mine === undefined) {
      if (b.properties !== undefined) found.push(`${inner(name)} is missing`)
      continue
    }
    const needs = (schema: Schema) => schema.required?.includes(name) ?? false
    if (way === 'taken' && needs(b) && !needs(a)) found.push(`${inner(name)} is required`)
    if (way === 'given' && needs(a) && !needs(b)) found.push(`${inner(name)} may be left out`)
    found.push(...compare(property, mine, theirs, ours, way, inner(name)))
  }
  for (const name of Object.keys(b.properties ?? {})) {
    if (a.properties !== undefined && !Object.hasOwn(a.properties, name)) found.push(`${inner(name)} is added`)
  }
  if (a.items !== undefined && b.items !== undefined)
    found.push(...compare(a.items, b.items, theirs, ours, way, `${at}[]`))
  return found
}

/** Follows references, and looks through "or null". */
function resolved(schema: Schema, document: Document): Schema {
  if (schema.$ref !== undefined) {
    const found = document.components.schemas[schema.$ref.slice(schema.$ref.lastIndexOf('/') + 1)]
    if (found === undefined) throw new Error(`Cannot find the schema ${schema.$ref}`)
    return resolved(found, document)
  }
  const choices = (schema.anyOf ?? schema.oneOf ?? schema.allOf)?.filter(choice => choice.type !== 'null')
  return choices?.length === 1 ? resolved(choices[0]!, document) : schema
}

const ANY = 'anything'

/** The types a schema allows, null left out: it equals absence on this wire. */
function typesOf(schema: Schema | undefined, document: Document): string[] {
  if (schema === undefined) return [ANY]
  const found = resolved(schema, document)
  const choices = found.anyOf ?? found.oneOf
  if (choices !== undefined) return [...new Set(choices.flatMap(choice => typesOf(choice, document)))]
  if (found.type === undefined) return [found.enum === undefined && found.const === undefined ? ANY : 'string']
  return [found.type].flat().filter(type => type !== 'null')
}

/** What of `wanted` is not in `there`. */
function lacking(wanted: readonly string[], there: readonly string[]): string[] {
  if (there.includes(ANY)) return []
  return wanted.filter(type => !there.includes(type) && !(type === 'integer' && there.includes('number')))
}
