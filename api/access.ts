import type { Subject } from '../db/access-control.ts'
import { type Credentials, equalInConstantTime, readCredentials } from './access-credentials.ts'
import type { AppRequest } from './context.ts'
import { AppError } from './errors.ts'

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
  /** Reads the users anew and tells how many there are. Throws an AppError when that fails; then the old ones stay. */
  reload(): Promise<number>
}

/** Runs one statement that reads, on a connection that cannot write. */
export type AdminSql = (sql: string, limit: number) => Promise<SqlAnswer>
export type SqlAnswer = { columns: string[]; items: Record<string, unknown>[] } | { failure: string }

/** What is known of a caller: the name things are recorded under, and for whom the access rules hold (AppEnv). */
type Caller = { user: string; subject: Subject | undefined }

export const ANONYMOUS = 'anonymous'

/**
 * Lets a request in or ends it with 401, and tells who calls (contract/notes.md 6.1). Wrong credentials are refused even where none are
 * needed, since their sender relies on what they allow; only a server that has no passwords takes any.
 */
export async function admit(c: AppRequest, access: AccessOptions | undefined): Promise<Caller> {
  if (access === undefined) return { user: ANONYMOUS, subject: undefined }
  const credentials = readCredentials(c.req.header('authorization'))
  if (credentials?.scheme === 'basic') refuseForeignPage(c)
  if (credentials !== undefined && isToken(credentials, access.token))
    return { user: credentials.user || ANONYMOUS, subject: undefined }
  if (credentials?.scheme === 'bearer') throw unauthorized(c)
  if (credentials !== undefined && access.passwords !== undefined) {
    const known = await access.passwords.check(credentials.user, credentials.secret)
    // Names of their own cannot make somebody of the nobody that stands for everybody.
    if (known && credentials.user !== ANONYMOUS) return callerNamed(credentials.user, access)
    throw unauthorized(c)
  }
  if (access.requireAuth || !mayBeUnknown(c, access)) throw unauthorized(c)
  return { user: ANONYMOUS, subject: access.enforce ? { name: null } : undefined }
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

/** Where rules hold the unknown may nothing anyway; where they do not, they may everything, so the runtime has to vouch for them. */
function mayBeUnknown(c: AppRequest, { token, passwords, trusts, enforce }: AccessOptions): boolean {
  return enforce || (token === undefined && passwords === undefined) || (trusts?.(c) ?? false)
}

function unauthorized(c: AppRequest): AppError {
  c.header('WWW-Authenticate', 'Basic realm="Torc"')
  return new AppError('unauthorized', HELP)
}

const HELP =
  'Unauthorized: send your user name and password, or the token of this server as "Authorization: Bearer TOKEN" or as the password ' +
  '(TORC_PASSWORD). It stands in the server information file, which the user who started the server can read'
