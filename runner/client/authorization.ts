/** What proves who we are: a token alone, or the password of a user. */
export type Proof = { token?: string; user?: string }

/** The header of every request; none without a proof. */
export function authorization({ token, user }: Proof): { authorization?: string } {
  if (token === undefined) return {}
  if (user === undefined) return { authorization: `Bearer ${token}` }
  return { authorization: `Basic ${Buffer.from(`${user}:${token}`).toString('base64')}` }
}

/** HEADRACE_TOKEN is a token; TORC_PASSWORD, as with Torc's clients, the password of the user who calls (contract/notes.md 17.6). */
export function proofFrom(env: NodeJS.ProcessEnv): Proof {
  if (env.HEADRACE_TOKEN) return { token: env.HEADRACE_TOKEN }
  if (!env.TORC_PASSWORD) return {}
  return { token: env.TORC_PASSWORD, user: env.TORC_USERNAME || env.USER || env.USERNAME || 'unknown' }
}
