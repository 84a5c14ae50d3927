/** How a request reaches a control plane. A transport knows bytes and time-outs; meaning and repetition are the client's. */
export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export type Outgoing = {
  method: Method
  /** Below the API's base path, with its query. */
  path: string
  headers: Record<string, string>
  body?: string
  /** The whole exchange, from the first byte to the last. */
  timeoutMs: number
}

export type Incoming = {
  status: number
  retryAfter?: string
  /** The name of the database that answered (docs/api.md). */
  epoch?: string
  text: string
}

export type Transport = {
  /** Sends one request once. Rejects when no whole reply came, also after `timeoutMs`. */
  send(request: Outgoing): Promise<Incoming>
  close(): Promise<void>
}

/** Rejects with the words of this error instead of a library's when the time is up. */
export class ReplyTimeout extends Error {
  constructor(timeoutMs: number) {
    super(`no reply within ${timeoutMs / 1000} s`)
    this.name = 'ReplyTimeout'
  }
}
