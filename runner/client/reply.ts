import type { Incoming } from './transport.ts'

/** What a request came to. Trouble is a value: nothing here throws. */
export type Reply<T> = { ok: true; status: number; value: T } | Refusal

export type Refusal = {
  ok: false
  /** Absent when no reply came. */
  status?: number
  /** A code of the API (`lost_claim`, `not_found`), else `no_reply`, `bad_reply` or `http_<status>`. */
  code: string
  message: string
  /** How long the server asks to wait before the next try. */
  retryAfterMs?: number
  /** There was no connection: nothing has arrived. */
  neverSent?: true
}

/**
 * Nobody there, the request came in pieces and too slowly (408, over a line that was cut), overloaded, or a proxy in between has lost the
 * server. Other 5xx are faults that a repetition meets again.
 */
const PASSING: ReadonlySet<number | undefined> = new Set([undefined, 408, 429, 502, 503, 504])

/** Whether another try is worth it. */
export const mayPass = ({ status }: Refusal): boolean => PASSING.has(status)

/** Reads a reply. One that should be JSON and is not becomes `bad_reply`: usually another program answers at that address. */
export function readReply<T>(incoming: Incoming): Reply<T> {
  const { status, text } = incoming
  const body = parseJson(text)
  if (isSuccess(status) && body === undefined)
    return { ok: false, status, code: 'bad_reply', message: `the reply is not JSON: ${firstLine(text)}` }
  const reply = readAnswer<T>(status, body, text)
  return reply.ok ? reply : { ...reply, retryAfterMs: parseRetryAfter(incoming.retryAfter) }
}

/** Reads a reply that is a text, such as a document of lines; a refusal is JSON as ever. */
export function readText(incoming: Incoming): Reply<string> {
  const { status, text } = incoming
  if (isSuccess(status)) return { ok: true, status, value: text }
  return readReply(incoming)
}

/** Reads a reply that came as a value; `text` stands in where a refusal gives no reason. */
export function readAnswer<T>(status: number, body: unknown, text = ''): Reply<T> {
  if (isSuccess(status)) return { ok: true, status, value: body as T }
  return { ok: false, status, ...readError(body, status, text) }
}

const isSuccess = (status: number): boolean => status >= 200 && status < 300

/** Errors of a connection that never came to be. */
const UNCONNECTED: ReadonlySet<unknown> = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
])

/** The reply that never came, in the words of its cause. */
export function noReply(error: unknown): Refusal {
  const cause = error instanceof AggregateError ? error.errors[0] : error
  const refusal: Refusal = {
    ok: false,
    code: 'no_reply',
    message: cause instanceof Error ? cause.message : String(cause),
  }
  return UNCONNECTED.has((cause as { code?: unknown }).code) ? { ...refusal, neverSent: true } : refusal
}

/** Error bodies are `{error: {error, message, code?}}`; servers of the contract may send plain text. */
function readError(body: unknown, status: number, text: string): { code: string; message: string } {
  const error = isRecord(body) && isRecord(body.error) ? body.error : {}
  const code = [error.code, error.error].find(word => typeof word === 'string') as string | undefined
  const message = typeof error.message === 'string' ? error.message : firstLine(text) || `status ${status}`
  return { code: code ?? `http_${status}`, message }
}

/** Seconds, as our server sends it; the other form of the header, a date, needs a clock that agrees and is ignored. */
function parseRetryAfter(header: string | undefined): number | undefined {
  return header !== undefined && /^\d+$/.test(header) ? Number(header) * 1000 : undefined
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null
const firstLine = (text: string): string => text.trim().split('\n', 1)[0]!.slice(0, 200)
