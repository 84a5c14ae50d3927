import { setTimeout as sleep } from 'node:timers/promises'
import type { Ledger } from './soak-ledger.ts'

export type ServerOfSoak = { url: string; token: string; deadlineMs: number; ledger: Ledger }

type Extra = { headers?: Record<string, string> }

/** Gives the answer to a request, however often it takes. */
export type Ask = <T>(method: string, path: string, body?: unknown, extra?: Extra) => Promise<T>

const REQUEST_MS = 30_000
/** Too many requests, and one that came in pieces and too slowly over a line that was cut. */
const PASSING = new Set([408, 429])

/** Asks again and again while the server is away; anything it says that is no answer and no excuse is noted. */
export function persistentClient({ url, token, deadlineMs, ledger }: ServerOfSoak): Ask {
  const identity = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }

  async function tryOnce(method: string, path: string, body: string | undefined, headers: Record<string, string>) {
    const signal = AbortSignal.timeout(REQUEST_MS)
    const response = await fetch(`${url}/v1${path}`, { method, headers, body, signal })
    return { status: response.status, text: await response.text() }
  }

  function noteRefusal(status: number, text: string): void {
    if (status === 503) ledger.refused[text.includes('disk') ? 'full' : 'else']++
    else if (!PASSING.has(status)) ledger.unexpected.push(`${status} ${text}`)
  }

  return async <T>(method: string, path: string, body?: unknown, { headers = {} }: Extra = {}) => {
    const text = body === undefined ? undefined : JSON.stringify(body)
    while (Date.now() < deadlineMs) {
      ledger.requests++
      const reply = await tryOnce(method, path, text, { ...identity, ...headers }).catch(() => undefined)
      // Away, frozen, cut off, or killed in the middle of the answer.
      if (reply === undefined) ledger.unanswered++
      else if (reply.status < 300) return JSON.parse(reply.text) as T
      else if (reply.status < 500 && !PASSING.has(reply.status))
        throw new Error(`${method} ${path}: ${reply.status} ${reply.text}`)
      else noteRefusal(reply.status, reply.text)
      await sleep(200 + Math.random() * 800)
    }
    throw new Error(`No answer to ${method} ${path} before the end of the soak`)
  }
}
