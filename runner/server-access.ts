import { resolve } from 'node:path'
import { allValues } from './command-line/arguments.ts'
import { countFlag } from './command-line/flags.ts'
import type { ServerAccess } from './local-server.ts'

/** The options of a server that say who is let in, named as Torc's (contract/notes.md 17.1). */
export const ACCESS_OPTIONS = {
  'token-file': {
    type: 'string',
    valueHint: 'PATH',
    description: 'private file with the token, made if missing (default: a new token at each start)',
  },
  'auth-file': {
    type: 'string',
    valueHint: 'PATH',
    description: 'htpasswd file of users, bcrypt (TORC_AUTH_FILE)',
  },
  'require-auth': { type: 'boolean', description: 'let nobody in without a password, or the token' },
  'credential-cache-ttl-secs': {
    type: 'string',
    valueHint: 'SECONDS',
    description: 'how long a right password is remembered, 0 for not at all (default: 60)',
  },
  'enforce-access-control': {
    type: 'boolean',
    description: 'show everybody only their own workflows and those of their groups',
  },
  'admin-user': {
    type: 'string',
    valueHint: 'NAME',
    description: 'administrator of this server; may be given again (TORC_ADMIN_USERS, separated by commas)',
  },
  'enable-admin-sql': {
    type: 'boolean',
    description: 'let administrators read the database by SQL; needs --enforce-access-control',
  },
} as const

type Given = {
  'auth-file'?: string
  'require-auth'?: boolean
  'credential-cache-ttl-secs'?: string
  'enforce-access-control'?: boolean
  'enable-admin-sql'?: boolean
}

/** What these options ask of the server; a flag wins over its variable. */
export function serverAccess(given: Given, rawArgs: readonly string[], env: NodeJS.ProcessEnv): ServerAccess {
  const authFile = given['auth-file'] ?? (env.TORC_AUTH_FILE || undefined)
  const seconds = given['credential-cache-ttl-secs'] ?? (env.TORC_CREDENTIAL_CACHE_TTL_SECS || undefined)
  const admins = allValues(ACCESS_OPTIONS, rawArgs, 'admin-user')
  return {
    authFile: authFile && resolve(authFile),
    requireAuth: given['require-auth'],
    credentialCacheSeconds: countFlag('--credential-cache-ttl-secs', seconds, 0),
    enforce: given['enforce-access-control'],
    adminUsers: admins.length > 0 ? admins : namesOf(env.TORC_ADMIN_USERS),
    adminSql: given['enable-admin-sql'],
  }
}

const namesOf = (list = ''): string[] =>
  list
    .split(',')
    .map(name => name.trim())
    .filter(name => name !== '')
