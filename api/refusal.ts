import { AppError, type ErrorBody } from './errors.ts'
import { refusalOfDatabase } from './unavailable.ts'

/**
 * What a caller is told of an error that ended his request. One that is no refusal of ours is a fault: it goes to `onFault`, and the
 * caller learns only where to look for it.
 */
export function refusalOf(error: unknown, onFault: (error: unknown) => void): AppError {
  const known = error instanceof AppError ? error : refusalOfDatabase(error)
  if (known !== undefined) return known
  onFault(error)
  return new AppError(
    'internal',
    'Cannot answer as the server met a fault of its own: its log has the X-Span-ID of this reply',
  )
}

/** A reply without its wire: what a caller in the same process gets. */
export type Answer = { status: number; body: unknown | ErrorBody }

/** Runs what a request would run and gives its reply as a value. Never rejects. */
export async function answer(act: () => Promise<unknown>, onFault: (error: unknown) => void): Promise<Answer> {
  try {
    return { status: 200, body: await act() }
  } catch (error) {
    const { status, body } = refusalOf(error, onFault)
    return { status, body }
  }
}
