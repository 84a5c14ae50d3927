import { authorization, type Proof } from './client/authorization.ts'
import { jsonText } from './client/json-text.ts'
import { mayPass, noReply, type Refusal, type Reply, readReply, readText } from './client/reply.ts'
import type { Method, Outgoing, Transport } from './client/transport.ts'

export type { Refusal, Reply } from './client/reply.ts'
export type { Method, Transport } from './client/transport.ts'

export type RequestOptions = {
  /** A POST that may be sent twice without harm: one with a claim_id, completions, heartbeats. Other methods always may. */
  repeatable?: boolean
  /** For one try. */
  timeoutMs?: number
  /** The body is a text of this type, sent as it is, instead of JSON. */
  contentType?: string
  /** The reply is wanted as the text it is. */
  asText?: boolean
}

export type ClientOptions = Proof & {
  /** How often something repeatable is tried in all. The loop waits out long trouble by itself. */
  attempts?: number
  /** Passed in for tests. */
  sleep?(ms: number): Promise<void>
  random?(): number
}

/** Talks to a control plane. Requests resolve to a value or a refusal; they never reject. */
export type Client = {
  request<T>(method: Method, path: string, body?: unknown, options?: RequestOptions): Promise<Reply<T>>
  close(): Promise<void>
}

const JSON_TYPE = 'application/json'
const ATTEMPTS = 3
/** Longer than the server lets any request wait for its writer. */
const TIMEOUT_MS = 30_000
/** The first pause between tries; it doubles, and half of it is random so that many runners do not come back at once. */
const FIRST_PAUSE_MS = 200
/** A server that asks for more patience than this is left to the caller. */
const LONGEST_PAUSE_MS = 5_000

/** Makes a client over a transport. It adds the token, turns bodies into JSON and back, and repeats what may be repeated. */
export function createClient(transport: Transport, options: ClientOptions = {}): Client {
  const { attempts = ATTEMPTS, sleep = pause, random = Math.random } = options
  const identity: Record<string, string> = authorization(options)

  async function sendOnce<T>(request: Omit<Outgoing, 'headers'>, type: string, asText: boolean): Promise<Reply<T>> {
    const headers = request.body === undefined ? identity : { ...identity, 'content-type': type }
    try {
      const incoming = await transport.send({ ...request, headers })
      return asText ? (readText(incoming) as Reply<T>) : readReply(incoming)
    } catch (error) {
      return noReply(error)
    }
  }

  return {
    async request<T>(
      method: Method,
      path: string,
      body?: unknown,
      {
        repeatable = method !== 'POST',
        timeoutMs = TIMEOUT_MS,
        contentType = JSON_TYPE,
        asText = false,
      }: RequestOptions = {},
    ) {
      const text = body === undefined ? undefined : contentType === JSON_TYPE ? jsonText(body) : String(body)
      const send = () => sendOnce<T>({ method, path, body: text, timeoutMs }, contentType, asText)
      let reply = await send()
      for (let tries = 1; tries < attempts && !reply.ok && repeatable; tries++) {
        const pauseMs = pauseAfter(reply, tries, random())
        if (pauseMs === undefined) break
        await sleep(pauseMs)
        reply = await send()
      }
      return reply
    },
    close: () => transport.close(),
  }
}

/** How long to wait before the next try; undefined when another try is of no use. */
function pauseAfter(refusal: Refusal, tries: number, random: number): number | undefined {
  if (!mayPass(refusal)) return undefined
  const own = FIRST_PAUSE_MS * 2 ** (tries - 1) * (0.5 + random / 2)
  const pauseMs = Math.max(own, refusal.retryAfterMs ?? 0)
  return pauseMs <= LONGEST_PAUSE_MS ? pauseMs : undefined
}

const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))
