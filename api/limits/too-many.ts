import { AppError } from '../errors.ts'

/** Refuses a request that would pass if it came later: 429 with Retry-After, 503 for clients that take 429 as final (contract/notes.md 1). */
export const tooMany = (what: string, waitMs: number): AppError =>
  new AppError('too_many_requests', `Cannot answer now as ${what}: try again later`, {
    retry_after_seconds: Math.max(1, Math.ceil(waitMs / 1_000)),
  })

/** Runners of Torc repeat a 503 and give up at a 429. They show by their agent, or by a header of their own. */
export const takes429AsFinal = (header: (name: string) => string | undefined): boolean =>
  header('x-torc-client-user') !== undefined || /^OpenAPI-Generator\//.test(header('user-agent') ?? '')
