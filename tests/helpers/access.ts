import type { AccessOptions } from '../../api/access.ts'
import type { AppOptions } from '../../api/app.ts'
import { syncSystemAdmins } from '../../db/access-groups.ts'
import { type TestApp, testApp } from './app.ts'

/** Users of the tests: `root` administers the server. Each one's password is `pw-` and the name. */
const USERS = ['root', 'ada', 'ben', 'cy', 'dot'] as const
export type TestUser = (typeof USERS)[number]

export const TOKEN = 'token-of-the-operator'

export const basic = (user: string, password: string) => ({ authorization: `Basic ${btoa(`${user}:${password}`)}` })
export const as = (user: TestUser) => basic(user, `pw-${user}`)
export const operator = { authorization: `Bearer ${TOKEN}` }
export const nobody = {}

/** Passwords without bcrypt: that has tests of its own. */
export const passwords: AccessOptions['passwords'] = {
  check: async (user, password) => USERS.some(known => known === user) && password === `pw-${user}`,
  reload: async () => USERS.length,
}

/** An app whose rules are enforced unless `access` says otherwise. */
export async function accessApp(
  access: Partial<AccessOptions> = {},
  options: Partial<AppOptions> = {},
): Promise<TestApp> {
  const t = await testApp({ access: { token: TOKEN, passwords, enforce: true, ...access }, ...options })
  await t.db.write(() => syncSystemAdmins(['root'], t.clock.now))
  return t
}

/** The same app as one user sees it: the helpers that seed rows send what this user sends. */
export function actingAs(t: TestApp, headers: Record<string, string>): TestApp {
  return {
    ...t,
    get: (path, more) => t.get(path, { ...headers, ...more }),
    post: (path, body, more) => t.post(path, body, { ...headers, ...more }),
    put: (path, body, more) => t.put(path, body, { ...headers, ...more }),
    del: (path, more) => t.del(path, { ...headers, ...more }),
  }
}

/** Makes a group as the administrator does; its members by name and role. */
export async function seedGroup(
  t: TestApp,
  name: string,
  members: Partial<Record<TestUser, 'member' | 'admin'>> = {},
): Promise<number> {
  const { status, body } = await t.post('/access_groups', { name }, as('root'))
  if (status !== 200) throw new Error(`Cannot seed: ${status} ${JSON.stringify(body)}`)
  for (const [user_name, role] of Object.entries(members)) {
    const reply = await t.post(`/access_groups/${body.id}/members`, { user_name, role, group_id: body.id }, as('root'))
    if (reply.status !== 200) throw new Error(`Cannot seed: ${reply.status} ${JSON.stringify(reply.body)}`)
  }
  return body.id
}
