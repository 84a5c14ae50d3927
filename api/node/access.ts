import { syncSystemAdmins } from '../../db/access-groups.ts'
import { isRemoteUrl } from '../../db/open-remote.ts'
import type { Db } from '../../db/unit.ts'
import type { AccessOptions } from '../access.ts'
import { createAdminSql } from './admin-sql.ts'
import { openPasswordFile } from './password-file.ts'
import { StartError } from './start-error.ts'

/** Who is let in beside whom the token and the machine vouch for (contract/notes.md 17.1). */
export type ServerAccess = {
  /** htpasswd file of users. */
  authFile?: string
  /** Nobody comes in without a password of that file, or the token. */
  requireAuth?: boolean
  /** How long a right password is remembered; 0: not at all. */
  credentialCacheSeconds?: number
  /** Everybody gets at their own workflows and at those of their groups only. */
  enforce?: boolean
  /** Members of the group of system administrators, all of them. Absent: the group stays as it is. */
  adminUsers?: readonly string[]
  /** Lets system administrators read the database by SQL, where rules are enforced. */
  adminSql?: boolean
}

const CACHE_SECONDS = 60

/** Checks what can be checked before anything is opened. Throws StartError. */
export function checkServerAccess({ requireAuth, authFile, adminSql, enforce }: ServerAccess): void {
  if (requireAuth && authFile === undefined)
    throw new StartError('Cannot require passwords without a file of them: name one with --auth-file')
  if (adminSql && !enforce)
    throw new StartError(
      'Cannot enable admin SQL where everybody is an administrator: add --enforce-access-control and --admin-user',
    )
}

export type OpenedAccess = { options: Omit<AccessOptions, 'token' | 'trusts'>; close(): Promise<void> }

/** Opens the password file and sets the administrators. Throws StartError when the file cannot be used. */
export async function openAccess(
  given: ServerAccess,
  { db, dbPath, log }: { db: Db; dbPath: string; log: (line: string) => void },
): Promise<OpenedAccess> {
  if (given.adminSql && isRemoteUrl(dbPath))
    throw new StartError(
      'Cannot enable admin SQL over a database server as it reads the file: use the tools of that server',
    )
  const { authFile, requireAuth, credentialCacheSeconds: rememberSeconds = CACHE_SECONDS, enforce, adminSql } = given
  const passwords = authFile === undefined ? undefined : openPasswordFile({ path: authFile, rememberSeconds, log })
  const admins = given.adminUsers
  if (admins !== undefined) await db.write(() => syncSystemAdmins(admins, Date.now()))
  return {
    options: { passwords, requireAuth, enforce, adminSql: adminSql ? createAdminSql(dbPath) : undefined },
    close: async () => passwords?.close(),
  }
}
