import { findReply, keepReply, type RequestKey } from '../db/idempotency.ts'
import type { Unit } from '../db/unit.ts'
import type { AppRequest, Services } from './context.ts'
import { fingerprint } from './core/fingerprint.ts'
import { AppError } from './errors.ts'

/** Printable ASCII, as RFC 9110 has it for header fields. */
const KEY = /^[\x21-\x7e]{1,255}$/

/**
 * Answers a creating request. With an `Idempotency-Key` the reply is kept in the same transaction as what the request creates, so a
 * repeat within 24 hours gets the same reply and creates nothing; 422 when the key came with another request, 400 when it is none.
 * `create` gives the reply's body.
 */
export async function createOnce(
  c: AppRequest,
  { db, clock }: Services,
  create: () => Unit<object>,
): Promise<Response> {
  const key = await requestKey(c)
  if (key === undefined) return c.json(await db.write(create))
  const done = await db.write(function* () {
    const now = clock()
    const known = yield* repeatedReply(key, now)
    if (known !== undefined) return { text: known, repeated: true }
    const text = JSON.stringify(yield* create())
    yield* keepReply(key, text, now)
    return { text, repeated: false }
  })
  markRepeated(c, done)
  return c.body(done.text, 200, { 'Content-Type': 'application/json' })
}

/**
 * The same for a workflow that is made in several transactions: `make` runs what it is given in the one that shows the workflow. `key` is
 * that of `requestKey`, or tells it once the whole body has been read; `body` gives the reply's body from the workflow's id.
 */
export async function makeOnce<T extends { workflow_id: number }>(
  { db, clock }: Services,
  key: RequestKey | (() => RequestKey) | undefined,
  make: (settle?: (workflowId: number) => Unit<void>) => Promise<number>,
  body: (workflowId: number) => T,
): Promise<Done<T>> {
  if (key === undefined) return { body: body(await make()), repeated: false }
  try {
    if (typeof key !== 'function') {
      const known = await db.read(() => repeatedReply(key, clock()))
      if (known !== undefined) throw new MadeBefore(known)
    }
    const id = await make(function* (workflowId) {
      const whole = typeof key === 'function' ? key() : key
      // The same request may have come twice at once: the first to show its workflow wins.
      const meanwhile = yield* repeatedReply(whole, clock())
      if (meanwhile !== undefined) throw new MadeBefore(meanwhile)
      yield* keepReply(whole, JSON.stringify(body(workflowId)), clock())
    })
    return { body: body(id), repeated: false }
  } catch (error) {
    if (error instanceof MadeBefore) return { body: JSON.parse(error.reply), repeated: true }
    throw error
  }
}

export type Done<T> = { body: T; repeated: boolean }

class MadeBefore extends Error {
  readonly reply: string
  constructor(reply: string) {
    super('An earlier request with this key has made the workflow')
    this.reply = reply
  }
}

/** The reply to an earlier request with this key; undefined when there was none, 422 when it was another request. */
function* repeatedReply(key: RequestKey, now: number): Unit<string | undefined> {
  const known = yield* findReply(key, now)
  if (known === undefined || known.request === key.request) return known?.reply
  throw new AppError(
    'mismatch',
    'Cannot repeat the request as its Idempotency-Key came with another one: use a new key',
    {
      field: 'Idempotency-Key',
    },
  )
}

/** What tells this request from others of the same user; undefined without the header. `content` stands for a body that is not text. */
export async function requestKey(c: AppRequest, content?: string): Promise<RequestKey | undefined> {
  const key = c.req.header('idempotency-key')
  if (key === undefined) return undefined
  if (!KEY.test(key)) {
    const message =
      'Cannot read the request as its Idempotency-Key must be 1 to 255 printable characters without blanks'
    throw new AppError('bad_request', message, { field: 'Idempotency-Key' })
  }
  const { pathname, search } = new URL(c.req.url)
  const request = fingerprint([c.req.method, pathname, search, content ?? (await c.req.text())].join('\n'))
  return { user: c.var.user, key, request }
}

/** Says in a header that nothing was created this time. */
export function markRepeated(c: AppRequest, { repeated }: { repeated: boolean }): void {
  if (repeated) c.header('Idempotency-Replayed', 'true')
}
