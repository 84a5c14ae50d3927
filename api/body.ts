import * as v from 'valibot'
import type { AppRequest } from './context.ts'
import { AppError, EarlyRefusal } from './errors.ts'

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
  const text = await readText(c)
  if (text.trim() === '') return undefined
  return check(schema, parseJson(text))
}

/** A body may be large, and the access rules look into it before the operation does: it is parsed once. */
const parsedBodies = new WeakMap<Request, unknown>()

/** Reads a JSON body of any shape. */
export async function readJson(c: AppRequest): Promise<unknown> {
  if (parsedBodies.has(c.req.raw)) return parsedBodies.get(c.req.raw)
  const body = await parseBody(c)
  parsedBodies.set(c.req.raw, body)
  return body
}

async function parseBody(c: AppRequest): Promise<unknown> {
  const type = c.req.header('content-type')?.split(';', 1)[0]?.trim().toLowerCase()
  if (type !== 'application/json' && !(type?.startsWith('application/') && type.endsWith('+json'))) {
    throw new AppError(
      'unsupported_media_type',
      'Cannot read the request body as its content type must be application/json',
    )
  }
  return parseJson(await readText(c))
}

/** Throws on bytes that are no UTF-8, where others would store a replacement character. */
const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Reads the body as text; 400 when it is no UTF-8. */
export async function readText(c: AppRequest): Promise<string> {
  const bytes = await c.req.arrayBuffer()
  try {
    return utf8.decode(bytes)
  } catch {
    throw new AppError('bad_request', 'Cannot read the request body as it is no UTF-8')
  }
}

export function parseJson(text: string): unknown {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    throw new AppError('bad_request', 'Cannot read the request body as it is no JSON')
  }
  refuseUnstorable(text)
  return parsed
}

/** What may be one of them: few texts hold any. */
const SUSPICIOUS = /\\u(?:0000|[dD][89a-fA-F])/
/** Reads valid JSON escape by escape: a whole surrogate pair, then, as a group, what cannot be stored, then any other. */
const ESCAPES = /\\u[dD][89abAB]..\\u[dD][c-fC-F]..|(\\u(?:0000|[dD][89a-fA-F]))|\\./g

/**
 * Ends with 422 when a text in valid JSON cannot be stored. SQLite ends a text at its first U+0000, which would store something else than
 * was sent; and half a surrogate pair, which its JSON functions turn into bytes that are no UTF-8, ends the whole process in the driver
 * when it is read back.
 */
export function refuseUnstorable(json: string): void {
  if (!SUSPICIOUS.test(json)) return
  for (const [, unstorable] of json.matchAll(ESCAPES)) {
    if (unstorable === undefined) continue
    const what = unstorable === '\\u0000' ? 'the character U+0000' : 'half a surrogate pair'
    throw new AppError('invalid', `Cannot read the request body as a text holds ${what}`)
  }
}

/** Gives unknown input typed by a schema; 422 with the first field that does not fit. The value itself is not repeated. */
export function check<S extends AnySchema>(schema: S, input: unknown): v.InferOutput<S> {
  const result = v.safeParse(schema, input, { abortEarly: true })
  if (result.success) return result.output
  const issue = result.issues[0]
  const field = v.getDotPath(issue) ?? undefined
  const Refusal = isOfOtherType(issue) ? EarlyRefusal : AppError
  throw new Refusal('invalid', `Cannot read the request body as ${field ?? 'it'} ${reasonOf(issue)}`, { field })
}

/** A body of another shape says nothing that could be looked up; a value that breaks a rule, an unknown word too, comes after existence. */
const isOfOtherType = ({ kind, type, input }: v.BaseIssue<unknown>): boolean =>
  kind === 'schema' && !(type === 'picklist' && typeof input === 'string')

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
