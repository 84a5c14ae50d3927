import type * as v from 'valibot'
import { JOB_STATUSES } from '../core/status.ts'
import type { Shape } from '../query.ts'
import { type JsonSchema, jsonSchemaOf } from './json-schema.ts'
import { ErrorReply } from './models/common.ts'
import * as jobModels from './models/jobs.ts'
import * as resourceModels from './models/resources.ts'
import * as workflowModels from './models/workflows.ts'
import { type Operation, PATH_TEXTS } from './operation.ts'
import { OPERATIONS } from './operations/all.ts'

export type Parameter = {
  name: string
  in: 'path' | 'query' | 'header'
  required: boolean
  description?: string
  explode?: boolean
  schema: JsonSchema
}
type Content = Record<string, { schema: JsonSchema }>
type Response = { description: string; content?: Content } | { $ref: string }

export type DocumentedOperation = {
  operationId: string
  tags: string[]
  summary: string
  parameters?: Parameter[]
  requestBody?: { required: boolean; content: Content }
  responses: Record<string, Response>
}

export type OpenApiDocument = {
  openapi: '3.1.0'
  info: { title: string; version: string; description: string }
  servers: { url: string; description: string }[]
  tags: { name: string }[]
  security: Record<string, string[]>[]
  paths: Record<string, Record<string, DocumentedOperation>>
  components: {
    schemas: Record<string, JsonSchema>
    responses: Record<string, Response>
    securitySchemes: Record<string, object>
  }
}

const MODELS: Readonly<Record<string, v.GenericSchema>> = {
  Error: ErrorReply,
  ...workflowModels,
  ...jobModels,
  ...resourceModels,
}

const NAMES = new Map(Object.entries(MODELS).map(([name, schema]) => [schema, name]))

/** Describes the whole API by the schemas that it checks requests with, and by those of its replies. */
export function openApiDocument(version: string): OpenApiDocument {
  const paths: OpenApiDocument['paths'] = {}
  for (const operation of OPERATIONS) {
    const path = paths[operation.path] ?? {}
    path[operation.method] = describe(operation)
    paths[operation.path] = path
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Headrace',
      version,
      description: 'A job service for scientific computing. The prose is in docs/api.md.',
    },
    servers: [
      { url: '/v1', description: 'as this document writes it' },
      { url: '/torc-service/v1', description: "where Torc's clients expect it" },
    ],
    tags: [...new Set(OPERATIONS.map(({ tag }) => tag))].map(name => ({ name })),
    // None where the server needs none: on its own machine, for the user who started it.
    security: [{}, { bearer: [] }, { basic: [] }],
    paths,
    components: {
      schemas: Object.fromEntries(Object.entries(MODELS).map(([name, schema]) => [name, jsonSchemaOf(schema, NAMES)])),
      responses: {
        Error: {
          description: 'What cannot be done, and why; `code` is for programs',
          content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
        },
      },
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        basic: { type: 'http', scheme: 'basic' },
      },
    },
  }
}

/** The statuses that an operation may refuse with; which one means what stands in docs/api.md. */
const REFUSALS = ['400', '401', '403', '404', '409', '413', '415', '422', '503']

function describe(operation: Operation): DocumentedOperation {
  const { id, tag, summary, body, bodyType, bodyOptional = false, reply, replyType, accepted } = operation
  const parameters = [
    ...pathParameters(operation.path),
    ...queryParameters(operation.query ?? {}),
    ...(operation.creates ? [IDEMPOTENCY_KEY] : []),
  ]
  const described: DocumentedOperation = { operationId: id, tags: [tag], summary, responses: {} }
  if (parameters.length > 0) described.parameters = parameters
  if (body !== undefined || bodyType !== undefined)
    described.requestBody = { required: !bodyOptional, content: contentOf(body, bodyType) }
  described.responses['200'] = { description: 'Done', content: contentOf(reply, replyType) }
  if (accepted !== undefined) described.responses['202'] = { description: 'Begun', content: contentOf(accepted) }
  for (const status of REFUSALS) described.responses[status] = { $ref: '#/components/responses/Error' }
  return described
}

function contentOf(schema: v.GenericSchema | undefined, type = 'application/json'): Content {
  if (schema === undefined) return { [type]: { schema: type.endsWith('json') ? {} : { type: 'string' } } }
  const name = NAMES.get(schema)
  const found = name === undefined ? jsonSchemaOf(schema, NAMES) : { $ref: `#/components/schemas/${name}` }
  return { [type]: { schema: found } }
}

const IDEMPOTENCY_KEY: Parameter = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: 'The same key with the same request creates nothing again and gives the same reply, for 24 hours',
  schema: { type: 'string', minLength: 1, maxLength: 255 },
}

function pathParameters(path: string): Parameter[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name: name!,
    in: 'path',
    required: true,
    schema: PATH_TEXTS.includes(name!) ? { type: 'string' } : INTEGER,
  }))
}

const INTEGER: JsonSchema = { type: 'integer', format: 'int64' }

const KINDS: Record<string, JsonSchema> = {
  integer: INTEGER,
  boolean: { type: 'boolean' },
  text: { type: 'string' },
  list: { type: 'string', description: 'separated by commas' },
  texts: { type: 'array', items: { type: 'string' } },
  status: { type: 'string', enum: [...JOB_STATUSES] },
}

const queryParameters = (shape: Shape): Parameter[] =>
  Object.entries(shape).map(([name, kind]) => ({
    name,
    in: 'query',
    required: kind.endsWith('!'),
    schema: KINDS[kind.replace('!', '')]!,
  }))
