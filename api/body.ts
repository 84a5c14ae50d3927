import * as v from 'valibot'
import type { AppRequest } from './context.ts'
import { AppError } from './errors.ts'

type AnySchema = v.BaseSchema<unknown, unknown, v.BaseIssue<unknown>>

/** Reads the JSON body and gives it typed. 415 without a JSON content type, 400 on broken JSON, 422 naming the field otherwise. */
export async function readBody<S extends AnySchema>(c: AppRequest, schema: S): Promise<v.InferOutput<S>> {
  return check(schema, await readJson(c))
}

/** The same where the body may be missing: then undefined. */
export async function readOptionalBody<S extends AnySchema>(
  c: AppRequest,
  schema: S,
): Promise<v.InferOutput<S> | undefined> {
  const text = await c.req.text()
  if (text.trim() === '') return undefined
  return check(schema, parseJson(text))
}

/** Reads a JSON body of any shape. */
export async function readJson(c: AppRequest): Promise<unknown> {
  const type = c.req.header('content-type')?.split(';', 1)[0]?.trim().toLowerCase()
  if (type !== 'application/json' && !(type?.startsWith('application/') && type.endsWith('+json'))) {
    throw new AppError(
      'unsupported_media_type',
      'Cannot read the request body as its content type must be application/json',
    )
  }
  return parseJson(await c.req.text())
}

function parseJson(text: string): unknown {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    throw new AppError('bad_request', 'Cannot read the request body as it is no JSON')
  }
  // SQLite ends a text at its first NUL, which would store something else than was sent.
  if (text.includes('\\u0000') && holdsNul(parsed)) {
    throw new AppError('invalid', 'Cannot read the request body as a text holds the character U+0000')
  }
  return parsed
}

function holdsNul(value: unknown): boolean {
  if (typeof value === 'string') return value.includes('\u0000')
  if (typeof value !== 'object' || value === null) return false
  return Object.entries(value).some(([key, inner]) => key.includes('\u0000') || holdsNul(inner))
}

/** Gives unknown input typed by a schema; 422 with the first field that does not fit. The value itself is not repeated. */
export function check<S extends AnySchema>(schema: S, input: unknown): v.InferOutput<S> {
  const result = v.safeParse(schema, input, { abortEarly: true })
  if (result.success) return result.output
  const issue = result.issues[0]
  const field = v.getDotPath(issue) ?? undefined
  throw new AppError('invalid', `Cannot read the request body as ${field ?? 'it'} ${reasonOf(issue)}`, { field })
}

function reasonOf(issue: v.BaseIssue<unknown>): string {
  // Messages that schemas of ours give begin with a small letter: "must be > 0"; those of valibot would repeat the value.
  if (/^[a-z]/.test(issue.message)) return issue.message
  if (issue.received === 'undefined') return 'is missing'
  return `must be ${(issue.expected !== null && TYPE_WORDS[issue.expected]) || 'something else'}`
}

const TYPE_WORDS: Record<string, string> = {
  string: 'text',
  number: 'a number',
  boolean: 'true or false',
  Array: 'a list',
  Object: 'an object',
}
