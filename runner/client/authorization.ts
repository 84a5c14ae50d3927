import { readFileSync } from 'node:fs'
import { cannotRun } from '../command-line/error.ts'

/** What proves who we are: a token alone, or the password of a user. */
export type Proof = { token?: string; user?: string }

/** The header of every request; none without a proof. */
export function authorization({ token, user }: Proof): { authorization?: string } {
  if (token === undefined) return {}
  if (user === undefined) return { authorization: `Bearer ${token}` }
  return { authorization: `Basic ${Buffer.from(`${user}:${token}`).toString('base64')}` }
}

/**
 * HEADRACE_TOKEN is a token, HEADRACE_TOKEN_FILE a file with one; TORC_PASSWORD, as with Torc's clients, the password of the user
 * who calls (contract/notes.md 17.6). Throws for a file that cannot be read.
 */
export function proofFrom(env: NodeJS.ProcessEnv): Proof {
  if (env.HEADRACE_TOKEN) return { token: env.HEADRACE_TOKEN }
  if (env.HEADRACE_TOKEN_FILE) return { token: tokenIn(env.HEADRACE_TOKEN_FILE) }
  if (!env.TORC_PASSWORD) return {}
  return { token: env.TORC_PASSWORD, user: env.TORC_USERNAME || env.USER || env.USERNAME || 'unknown' }
}

function tokenIn(path: string): string {
  let token: string
  try {
    token = readFileSync(path, 'utf8').trim()
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    throw cannotRun(`Cannot read the token in ${path}, which HEADRACE_TOKEN_FILE names: ${code}`)
  }
  if (/^[\x21-\x7e]+$/.test(token)) return token
  throw cannotRun(`Cannot use the token in ${path}, which HEADRACE_TOKEN_FILE names, as it must be one word`)
}
