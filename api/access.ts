import type { Subject } from '../db/access-control.ts'
import { type Credentials, equalInConstantTime, readCredentials } from './access-credentials.ts'
import type { AppRequest } from './context.ts'
import { parseToken } from './core/token-text.ts'
import { AppError } from './errors.ts'
import type { FailureLimit } from './limits/failures.ts'
import type { TokenCheck, TokenFault } from './tokens/check.ts'
import type { Grant } from './tokens/grant.ts'

export type AccessOptions = {
  /** The server's own: who shows it, as Bearer token or as Basic password, is the operator, who may everything. */
  token?: string
  /** Tells by the runtime's own view of the peer whether a request needs no token. */
  trusts?: (request: AppRequest) => boolean
  /** The users of a password file. Absent: passwords are not looked at. */
  passwords?: Passwords
  /** Nobody comes in without being known. */
  requireAuth?: boolean
  /** The rules of contract/notes.md 6.2 hold: everybody gets at their own workflows and at those of their groups. */
  enforce?: boolean
  /** Lets system administrators read the database by SQL (19.12); nothing happens unless rules are enforced. */
  adminSql?: AdminSql
}

/** Users and their passwords, as the runtime keeps them. */
export type Passwords = {
  /** Whether this is the password of this user. Throws an AppError when too many wait for the same answer. */
  check(user: string, password: string): Promise<boolean>
  /** Whether this very pair was right lately: then it is no guess. Absent: nothing is remembered. */
  remembers?(user: string, password: string): boolean
  /** Reads the users anew and tells how many there are. Throws an AppError when that fails; then the old ones stay. */
  reload(): Promise<number>
}

/** Runs one statement that reads, on a connection that cannot write. */
export type AdminSql = (sql: string, limit: number) => Promise<SqlAnswer>
export type SqlAnswer = { columns: string[]; items: Record<string, unknown>[] } | { failure: string }

/** What is known of a caller: the name things are recorded under, for whom the access rules hold, and the token shown (AppEnv). */
type Caller = { user: string; subject: Subject | undefined; grant?: Grant }

/** What the app itself brings to the question who calls. */
export type Admission = {
  tokens: TokenCheck
  failures: FailureLimit
  /** Where a request comes from, as far as the runtime tells. */
  addressOf: (c: AppRequest) => string | undefined
}

export const ANONYMOUS = 'anonymous'

/**
 * Lets a request in or ends it with 401, and tells who calls (contract/notes.md 6.1). Wrong credentials are refused even where none are
 * needed, since their sender relies on what they allow; only a server that has no passwords takes any. Too many wrong ones from one
 * address end with 429.
 */
export async function admit(c: AppRequest, access: AccessOptions | undefined, admission: Admission): Promise<Caller> {
  if (access === undefined) return { user: ANONYMOUS, subject: undefined }
  const credentials = readCredentials(c.req.header('authorization'))
  if (credentials?.scheme === 'basic') refuseForeignPage(c)
  if (credentials !== undefined && isToken(credentials, access.token))
    return { user: credentials.user || ANONYMOUS, subject: undefined }
  const known = credentials && admission.tokens.recall(credentials.secret)
  if (known !== undefined) return callerGranted(known, credentials!, access)
  const mayPass = !access.requireAuth && mayBeUnknown(c, access)
  if (credentials === undefined || (mayPass && !mustBeRight(credentials, access))) {
    if (!mayPass) throw unauthorized(c, HELP)
    return { user: ANONYMOUS, subject: access.enforce ? { name: null } : undefined }
  }
  const found = await checkCredentials(credentials, access, admission, admission.addressOf(c))
  if (!('fault' in found)) return found
  admission.failures.count(admission.addressOf(c))
  throw unauthorized(c, FAULTS[found.fault])
}

/** Without passwords any Basic credentials are as good as none, as upstream has it, but never those that show a token. */
const mustBeRight = ({ scheme, secret }: Credentials, { passwords }: AccessOptions): boolean =>
  scheme === 'bearer' || passwords !== undefined || parseToken(secret) !== undefined

/**
 * Tokens are compared however often their address has failed, since nobody guesses one and a right one must not be shut out by its
 * neighbours; passwords are not, unless they were right lately.
 */
async function checkCredentials(
  credentials: Credentials,
  access: AccessOptions,
  { tokens, failures }: Admission,
  address: string | undefined,
): Promise<Caller | { fault: TokenFault }> {
  const { scheme, user, secret } = credentials
  if (scheme === 'bearer' || parseToken(secret) !== undefined) {
    const checked = await tokens.check(secret)
    return 'fault' in checked ? checked : callerGranted(checked.grant, credentials, access)
  }
  if (!access.passwords?.remembers?.(user, secret)) failures.refuseGuesser(address)
  // Names of their own cannot make somebody of the nobody that stands for everybody.
  const isKnown = (await access.passwords?.check(user, secret)) === true && user !== ANONYMOUS
  return isKnown ? callerNamed(user, access) : { fault: 'unknown' }
}

/** A browser adds Basic credentials it has once been given to what pages of other sites send, too; it says so itself. */
function refuseForeignPage(c: AppRequest): void {
  if (c.req.header('sec-fetch-site') !== 'cross-site') return
  throw new AppError('forbidden', 'Cannot take a request with credentials from a page of another site')
}

const isToken = ({ secret }: Credentials, token: string | undefined): boolean =>
  token !== undefined && equalInConstantTime(secret, token)

const callerNamed = (user: string, { enforce }: AccessOptions): Caller => ({
  user,
  subject: enforce ? { name: user } : undefined,
})

/**
 * Whoever shows a token has the rights of its user where rules hold, and all rights elsewhere or when it has no user; both inside its
 * fence only. One that may administer is as good as the operator's.
 */
function callerGranted(grant: Grant, credentials: Credentials, { enforce = false }: AccessOptions): Caller {
  const { user: owner, fence, scopes } = grant
  const user = owner ?? (credentials.user || ANONYMOUS)
  const hasAllRights = !enforce || owner === null || scopes.includes('admin')
  const isFree = hasAllRights && fence === undefined
  return { user, subject: isFree ? undefined : { name: owner, hasAllRights, fence }, grant }
}

/** Where rules hold the unknown may nothing anyway; where they do not, they may everything, so the runtime has to vouch for them. */
function mayBeUnknown(c: AppRequest, { token, passwords, trusts, enforce }: AccessOptions): boolean {
  return enforce || (token === undefined && passwords === undefined) || (trusts?.(c) ?? false)
}

function unauthorized(c: AppRequest, message: string): AppError {
  c.header('WWW-Authenticate', 'Basic realm="Torc"')
  return new AppError('unauthorized', message)
}

const HELP =
  'Unauthorized: send your user name and password, or a token of this server as "Authorization: Bearer TOKEN" or as the password ' +
  '(TORC_PASSWORD). Its own stands in the server information file, which the user who started the server can read'

const FAULTS: Record<TokenFault, string> = {
  unknown: HELP,
  expired: 'Unauthorized: the token has expired, ask for another one',
  revoked: 'Unauthorized: the token was revoked, ask for another one',
}
