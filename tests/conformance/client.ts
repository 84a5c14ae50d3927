import { inject } from 'vitest'
import type { Caller, Reply } from '../helpers/app.ts'

/** The control plane under test. */
export const target = inject('target')

/** Sends requests to a control plane over HTTP, with its token unless told otherwise. */
export function callerOf(url: string, authorization: string | undefined = `Bearer ${target.token}`): Caller {
  async function send(
    method: string,
    path: string,
    body?: unknown,
    given: Record<string, string> = {},
  ): Promise<Reply> {
    const headers: Record<string, string> = { ...(authorization && { authorization }), ...given }
    if (body !== undefined) headers['content-type'] = 'application/json'
    const response = await fetch(`${url}/v1${path}`, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(30_000),
    })
    const text = await response.text()
    return { status: response.status, body: text === '' ? undefined : JSON.parse(text), headers: response.headers }
  }
  return {
    get: (path, headers) => send('GET', path, undefined, headers),
    post: (path, body, headers) => send('POST', path, body, headers),
    put: (path, body, headers) => send('PUT', path, body, headers),
    del: (path, headers) => send('DELETE', path, undefined, headers),
  }
}

export const api = callerOf(target.url)

/** The same database through a second control plane where there is one, else through the first. */
export const twin = callerOf(target.twinUrl ?? target.url)

/** Does what a clock does for the control plane: its cron trigger goes off here, or its own timer will. */
export async function letTick(): Promise<void> {
  if (target.tickUrl !== undefined) await (await fetch(target.tickUrl)).text()
}

/** Waits until a fact holds; the message of its time-out tells what was seen last. */
export async function waitUntil<T>(
  look: () => Promise<T>,
  holds: (seen: T) => boolean,
  timeoutMs = 30_000,
): Promise<T> {
  const until = Date.now() + timeoutMs
  for (;;) {
    const seen = await look()
    if (holds(seen)) return seen
    if (Date.now() > until) throw new Error(`Waited ${timeoutMs} ms in vain, last seen: ${JSON.stringify(seen)}`)
    await new Promise(resolve => setTimeout(resolve, 200))
  }
}
