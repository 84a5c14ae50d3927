import { readFileSync } from 'node:fs'
import type { Schema } from './json-schema.ts'

/** The contract files: what each operation takes. */

export type Parameter = { name: string; in: 'path' | 'query'; required?: boolean; schema?: Schema }
type Described = { parameters?: Parameter[]; requestBody?: { content: Record<string, { schema: Schema }> } }
type Contract = { paths: Record<string, Record<string, Described>>; components: { schemas: Record<string, Schema> } }

export type Operation = {
  /** `0.23.0 POST /jobs` */
  name: string
  method: string
  path: string
  parameters: readonly Parameter[]
  body: Schema | undefined
  /** Looks a `$ref` up, again and again. */
  resolve(schema: Schema): Schema
}

const VERSIONS = ['0.23.0', '0.14.0']

function read(version: string): Operation[] {
  const url = new URL(`../fixtures/contract/api-${version}.json`, import.meta.url)
  const contract: Contract = JSON.parse(readFileSync(url, 'utf8'))
  const resolve = (schema: Schema): Schema =>
    schema.$ref === undefined
      ? schema
      : resolve(contract.components.schemas[schema.$ref.slice(schema.$ref.lastIndexOf('/') + 1)]!)
  return Object.entries(contract.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { parameters = [], requestBody }]) => ({
      name: `${version} ${method.toUpperCase()} ${path}`,
      method: method.toUpperCase(),
      path,
      parameters,
      body: requestBody?.content['application/json']?.schema,
      resolve,
    })),
  )
}

/** Every operation of both forms of the contract; deletes come last, so that the others find rows. */
export const operations: readonly Operation[] = VERSIONS.flatMap(read).sort(
  (a, b) => Number(a.method === 'DELETE') - Number(b.method === 'DELETE'),
)

/** The same, each path and method once. */
export const distinctOperations: readonly Operation[] = operations.filter(
  (operation, index) =>
    operations.findIndex(other => other.method === operation.method && other.path === operation.path) === index,
)
