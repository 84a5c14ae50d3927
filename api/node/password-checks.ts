import { createHmac, randomBytes } from 'node:crypto'
import { AppError } from '../errors.ts'

/** Most questions that wait for the slow comparison: at a quarter of a second each, the last one waits eight seconds. */
const MOST_WAITING = 32
/** Of one user, so that guesses at a single name do not fill the queue. */
const MOST_OF_A_USER = 8
/** Successes remembered; the oldest go first. */
const MOST_REMEMBERED = 10_000

export type CheckOptions = {
  /** The slow comparison, one at a time. */
  compare: (user: string, password: string) => Promise<boolean>
  /** How long a success is remembered; 0: not at all. */
  rememberMs: number
  now: () => number
}

export type PasswordChecks = {
  check(user: string, password: string): Promise<boolean>
  /** Whether this pair was right lately. */
  remembers(user: string, password: string): boolean
  /** Forgets every success: users or passwords have changed. */
  forget(): void
}

type Waiting = { user: string; answer: Promise<boolean> }

/**
 * Puts a memory and a bounded queue before the slow comparison. Successes are remembered under a digest with a key that only this
 * process has; the same question asked meanwhile shares one answer. When too many wait, it throws `unavailable` (503 with
 * Retry-After): guessing costs the guesser its rate, and nobody else the server.
 */
export function createPasswordChecks({ compare, rememberMs, now }: CheckOptions): PasswordChecks {
  const key = randomBytes(32)
  const rememberedUntil = new Map<string, number>()
  const waiting = new Map<string, Waiting>()
  let last: Promise<unknown> = Promise.resolve()
  let generation = 0

  const digestOf = (user: string, password: string): string =>
    createHmac('sha256', key).update(`${user.length}:${user}${password}`).digest('base64')

  function remember(digest: string): void {
    rememberedUntil.delete(digest)
    rememberedUntil.set(digest, now() + rememberMs)
    if (rememberedUntil.size <= MOST_REMEMBERED) return
    for (const oldest of rememberedUntil.keys()) {
      rememberedUntil.delete(oldest)
      return
    }
  }

  function enqueue(user: string, password: string, digest: string): Promise<boolean> {
    const ofUser = [...waiting.values()].filter(other => other.user === user).length
    if (waiting.size >= MOST_WAITING || ofUser >= MOST_OF_A_USER)
      throw new AppError('unavailable', 'Cannot check the password now as too many are being checked: try again')
    const asked = generation
    const answer = last.then(async () => {
      const right = await compare(user, password)
      // Users that were read anew meanwhile may know this one no longer.
      if (right && rememberMs > 0 && asked === generation) remember(digest)
      return right
    })
    waiting.set(digest, { user, answer })
    const done = () => {
      waiting.delete(digest)
    }
    last = answer.then(done, done)
    return answer
  }

  const isRemembered = (digest: string): boolean => (rememberedUntil.get(digest) ?? 0) > now()

  return {
    remembers: (user, password) => isRemembered(digestOf(user, password)),
    async check(user, password) {
      const digest = digestOf(user, password)
      if (isRemembered(digest)) return true
      return (waiting.get(digest)?.answer ?? enqueue(user, password, digest)) as Promise<boolean>
    },
    forget() {
      generation++
      rememberedUntil.clear()
    },
  }
}
