import type { Rows, SqlValue, Statement } from './unit.ts'

/** Where a libSQL server answers, and what it wants to see. */
export type Remote = {
  /** https:// or http://, without a slash at the end. */
  url: string
  token?: string
  /** Which of the server's databases; undefined: the one its address stands for. */
  namespace?: string
  /** After this long without an answer a call fails; whether it took effect is then unknown. */
  timeoutMs: number
}

/** The server's own codes, and three of ours: it did not answer, it has no such database, and it answered something else than Hrana. */
export const UNREACHABLE = 'REMOTE_UNREACHABLE'
export const NO_DATABASE = 'REMOTE_NO_DATABASE'
export const REFUSED = 'REMOTE_REFUSED'

/** A statement or a call that failed at the server. `code` is SQLite's or the server's (platform.md 3.4, 3.5). */
export class RemoteError extends Error {
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

type WireValue =
  | { type: 'null' }
  | { type: 'integer'; value: string }
  | { type: 'float'; value: number }
  | { type: 'text'; value: string }
  | { type: 'blob'; base64: string }

type StatementResult = { cols: { name: string | null }[]; rows: WireValue[][] }
type WireError = { message: string; code?: string | null }
type BatchResult = { step_results: (StatementResult | null)[]; step_errors: (WireError | null)[] }
type StreamResult =
  | { type: 'ok'; response: { type: 'batch'; result: BatchResult } | { type: 'close' } }
  | { type: 'error'; error: WireError }
type PipelineReply = { baton: string | null; base_url: string | null; results: StreamResult[] }

/** Where a conversation with the server goes on; undefined before its first call and after its last one. */
export type Stream = { baton: string; url: string } | undefined

/** What became of one call: rows statement by statement, the first failure, and where the conversation stands. */
export type Answer = { rows: Rows[]; failed?: RemoteError; stream: Stream }

/**
 * Sends statements in one round trip, each run only if the one before it succeeded. With `last` the server then forgets the conversation,
 * and undoes an open transaction. Throws RemoteError when the call as a whole came to nothing.
 */
export async function sendStatements(
  remote: Remote,
  stream: Stream,
  statements: readonly Statement[],
  last: boolean,
): Promise<Answer> {
  const steps = statements.map(({ sql, args }, index) => ({
    stmt: { sql, args: args.map(encode), want_rows: true },
    condition: index === 0 ? undefined : { type: 'ok', step: index - 1 },
  }))
  const requests: object[] = [{ type: 'batch', batch: { steps } }]
  if (last) requests.push({ type: 'close' })
  const reply = await post(remote, stream, requests)
  const [first] = reply.results
  const after = reply.baton === null ? undefined : { baton: reply.baton, url: reply.base_url ?? remote.url }
  // A transaction may be open behind it still, which the caller has to end.
  if (first?.type === 'error') return { rows: [], failed: remoteError(first.error), stream: after }
  if (first?.response.type !== 'batch') throw new RemoteError(REFUSED, 'The server gave no result for a batch')
  const { step_errors, step_results } = first.response.result
  const failed = step_errors.find(error => error !== null)
  return {
    rows: step_results.map(readRows),
    failed: failed ? remoteError(failed) : undefined,
    stream: after,
  }
}

/** Ends a conversation: the server undoes what was not committed. */
export async function closeStream(remote: Remote, stream: NonNullable<Stream>): Promise<void> {
  await post(remote, stream, [{ type: 'close' }])
}

async function post(remote: Remote, stream: Stream, requests: readonly object[]): Promise<PipelineReply> {
  // Replies are small and come by the thousand: to pack and unpack each costs both sides more than it saves on the way.
  const headers = {
    'content-type': 'application/json',
    'accept-encoding': 'identity',
    ...remoteHeaders(remote),
  }
  let status: number
  let text: string
  try {
    const response = await fetch(`${stream?.url ?? remote.url}/v2/pipeline`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ baton: stream?.baton ?? null, requests }),
      signal: AbortSignal.timeout(remote.timeoutMs),
    })
    status = response.status
    text = await response.text()
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new RemoteError(UNREACHABLE, `The database server did not answer: ${why}`)
  }
  if (status !== 200) throw refusal(status, text)
  try {
    return JSON.parse(text)
  } catch {
    // What was done is as unknown as without an answer: a reply that ends with its connection may be cut without a trace.
    throw new RemoteError(UNREACHABLE, 'The database server did not answer: its reply broke off, or is none of its own')
  }
}

/** A gateway in between or an overloaded server passes by itself; the rest is what the server says of this call. */
function refusal(status: number, text: string): RemoteError {
  const { message, code } = readError(text)
  const said = `The database server answered ${status}: ${message}`
  if (typeof code === 'string') return new RemoteError(code, said)
  if (status === 404) return new RemoteError(NO_DATABASE, said)
  return new RemoteError(status >= 500 || status === 429 ? UNREACHABLE : REFUSED, said)
}

/** What a request shows to get at its database. A namespace goes as base64 without padding; ours are ASCII. */
export function remoteHeaders({ token, namespace }: Pick<Remote, 'token' | 'namespace'>): Record<string, string> {
  const headers: Record<string, string> = {}
  if (token !== undefined) headers.authorization = `Bearer ${token}`
  if (namespace !== undefined) headers['x-namespace-bin'] = btoa(namespace).replace(/=+$/, '')
  return headers
}

function readError(text: string): { message: string; code?: unknown } {
  const start = text.slice(0, 200)
  try {
    const body: { message?: string; error?: string; code?: string } | null = JSON.parse(text)
    return { message: body?.message ?? body?.error ?? start, code: body?.code }
  } catch {
    return { message: start }
  }
}

const remoteError = ({ message, code }: WireError): RemoteError => new RemoteError(code ?? REFUSED, message)

/** Numbers go as floats, whole ones too, because the file's driver binds them so: a statement means the same on both. */
function encode(value: SqlValue): WireValue {
  if (value === null) return { type: 'null' }
  if (typeof value === 'string') return { type: 'text', value: wellFormed(value) }
  if (typeof value === 'number') return { type: 'float', value }
  if (typeof value === 'bigint') return { type: 'integer', value: String(value) }
  return { type: 'blob', base64: btoa(Array.from(value, byte => String.fromCharCode(byte)).join('')) }
}

const SURROGATE = /[\uD800-\uDFFF]/

/** Half a character is no UTF-8: the file's driver stores a replacement for it, the server would refuse the whole call. */
function wellFormed(text: string): string {
  return SURROGATE.test(text) ? new TextDecoder().decode(new TextEncoder().encode(text)) : text
}

function decode(value: WireValue): string | number | null | Uint8Array {
  switch (value.type) {
    case 'null':
      return null
    case 'integer':
      return Number(value.value)
    case 'float':
    case 'text':
      return value.value
    case 'blob':
      return Uint8Array.from(atob(value.base64), char => char.charCodeAt(0))
  }
}

function readRows(result: StatementResult | null): Rows {
  if (result === null) return []
  const names = result.cols.map(column => column.name ?? '')
  return result.rows.map(values => {
    const row: Record<string, ReturnType<typeof decode>> = {}
    for (let k = 0; k < names.length; k++) row[names[k]!] = decode(values[k]!)
    return row
  })
}
