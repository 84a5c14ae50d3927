import type { AppRequest } from './context.ts'
import { AppError } from './errors.ts'

export type AccessOptions = {
  /** What a caller has to show as Bearer token, or as Basic password, unless `trusts` lets it in. */
  token: string
  /** Tells by the runtime's own view of the peer whether a request needs no token. */
  trusts?: (request: AppRequest) => boolean
}

const ANONYMOUS = 'anonymous'

/**
 * Lets a request in or ends it with 401, and tells who calls: the user name of Basic credentials that are right, else `anonymous`.
 * A wrong Bearer token is refused even where none is needed, since its sender relies on what it allows.
 */
export function admit(c: AppRequest, access: AccessOptions | undefined): string {
  if (access === undefined) return ANONYMOUS
  const credentials = readCredentials(c.req.header('authorization'))
  if (credentials !== undefined && equalInConstantTime(credentials.secret, access.token))
    return credentials.user || ANONYMOUS
  if (credentials?.scheme !== 'bearer' && access.trusts?.(c)) return ANONYMOUS
  c.header('WWW-Authenticate', 'Basic realm="Torc"')
  throw new AppError('unauthorized', HELP)
}

const HELP =
  'Unauthorized: send the token of this server as "Authorization: Bearer TOKEN" or as the password (TORC_PASSWORD). It stands in the ' +
  'server information file, which the user who started the server can read'

type Credentials = { scheme: 'bearer' | 'basic'; user?: string; secret: string }

function readCredentials(header: string | undefined): Credentials | undefined {
  const [, scheme = '', rest = ''] = /^(\w+) +(.*)$/.exec(header ?? '') ?? []
  if (scheme.toLowerCase() === 'bearer') return { scheme: 'bearer', secret: rest }
  if (scheme.toLowerCase() !== 'basic') return undefined
  const text = decodeBase64(rest)
  const colon = text.indexOf(':')
  return { scheme: 'basic', user: text.slice(0, Math.max(0, colon)), secret: text.slice(colon + 1) }
}

function decodeBase64(text: string): string {
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(text), char => char.charCodeAt(0)))
  } catch {
    return ''
  }
}

/** Takes as long for a near miss as for a far one, so that answer times tell nothing about the token. */
function equalInConstantTime(given: string, token: string): boolean {
  let differing = given.length ^ token.length
  for (let k = 0; k < token.length; k++) differing |= given.charCodeAt(k % (given.length || 1)) ^ token.charCodeAt(k)
  return differing === 0
}
