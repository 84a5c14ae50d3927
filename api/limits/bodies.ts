import { bodyLimit } from 'hono/body-limit'
import type { AppRequest, Limits } from '../context.ts'
import { AppError } from '../errors.ts'

/** Paths whose bodies carry lists or data of any size (contract/notes.md 1, 19.8). */
const BULK_PATH =
  /\/(bulk_jobs|bulk_files|bulk_user_data|batch_complete_jobs|user_data|events|from_spec|from_expansion)(\/\d+)?$/

/** Paths whose bodies are worked off line by line, and never held whole. */
const STREAMED_PATH = /\/workflows\/import$/

/** Refuses a body that is too large by its header; only a body without length is counted while it is read (platform.md 6). */
export function limitBodies(limits: Pick<Limits, 'bodyBytes' | 'bulkBodyBytes'>) {
  const tooLarge = (most: number) =>
    new AppError('too_large', `Cannot read the request body as it is larger than ${most} bytes`)
  const counting = (most: number) =>
    bodyLimit({
      maxSize: most,
      onError: c => {
        // What is left of the body is not read: the next request cannot come over this connection.
        c.header('Connection', 'close')
        throw tooLarge(most)
      },
    })
  const countUsual = counting(limits.bodyBytes)
  const countBulk = counting(limits.bulkBodyBytes)
  return async (c: AppRequest, next: () => Promise<void>) => {
    if (c.req.method === 'GET' || c.req.method === 'HEAD') return next()
    if (STREAMED_PATH.test(c.req.path)) return next()
    const bulk = BULK_PATH.test(c.req.path)
    const length = c.req.header('content-length')
    if (length === undefined || c.req.header('transfer-encoding') !== undefined)
      return (bulk ? countBulk : countUsual)(c, next)
    const most = bulk ? limits.bulkBodyBytes : limits.bodyBytes
    if (Number(length) > most) throw tooLarge(most)
    return next()
  }
}
