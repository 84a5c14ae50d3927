import { recordAdminCall } from '../db/admin-calls.ts'
import type { AppRequest, Services } from './context.ts'

/** Paths of calls that change something about the server, below the base. */
export const AUDITED = [
  '/tokens/*',
  '/access_groups/*',
  '/workflows/:id/access_groups/*',
  '/admin/reload-auth',
  '/webhooks/*',
]

/**
 * Notes who changed what about the server, before the answer goes out: whatever was acknowledged is in the list. Looking changes
 * nothing and is not noted, nor is what was refused: strangers must not fill the list.
 */
export function auditAdministration({ db, clock }: Pick<Services, 'db' | 'clock'>, basePath: string) {
  return async (c: AppRequest, next: () => Promise<void>) => {
    await next()
    if (c.req.method === 'GET' || c.req.method === 'HEAD' || c.res.status >= 400) return
    const { user, grant, changed } = c.var
    await db.write(() =>
      recordAdminCall({
        timestamp: clock(),
        user_name: user,
        token_id: grant?.tokenId ?? null,
        operation: `${c.req.method} ${c.req.path.slice(basePath.length)}`,
        detail: changed ?? null,
      }),
    )
  }
}
