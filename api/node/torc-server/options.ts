import { parseArgs } from 'node:util'
import type { DialectOption } from '../../dialect.ts'
import type { ServerAccess } from '../access.ts'
import { StartError } from '../start-error.ts'

/** A command line that cannot be understood: exit code 2. */
export class UsageError extends Error {}

/** What `torc-server run` is asked for, flags and environment taken together. */
export type LauncherOptions = {
  host: string
  port: number
  /** A path, or `:memory:`. */
  database: string
  dialect: DialectOption
  tls?: { certPath: string; keyPath: string }
  logDir?: string
  jsonLogs: boolean
  daemon: boolean
  pidFile?: string
  stopAtEndOfInput: boolean
  bulkBodyBytes?: number
  access: ServerAccess
}

type Environment = Readonly<Record<string, string | undefined>>

const DEFAULT_PORT = 8080
/** Only for a background server: one in the foreground writes a file that was asked for. */
const DAEMON_PID_FILE = '/var/run/torc-server.pid'
const DIALECTS = ['auto', 'old', 'new'] as const

const text = { type: 'string' } as const
const flag = { type: 'boolean' } as const

/** The flags of contract/notes.md 17.1 and 19.16, and `--dialect`, ours. */
const FLAGS = {
  host: { ...text, short: 'H' },
  url: { ...text, short: 'u' },
  port: { ...text, short: 'p' },
  database: { ...text, short: 'd' },
  dialect: text,
  https: flag,
  'tls-cert': text,
  'tls-key': text,
  'log-dir': text,
  'json-logs': flag,
  daemon: flag,
  'pid-file': text,
  'shutdown-on-stdin-eof': flag,
  'auth-file': text,
  'require-auth': flag,
  'credential-cache-ttl-secs': text,
  'enforce-access-control': flag,
  'admin-user': { ...text, multiple: true },
  'enable-admin-sql': flag,
  // Taken and not needed: nothing here waits for a thread or an interval, and SQL from outside is closed anyway.
  threads: { ...text, short: 't' },
  'completion-check-interval-secs': { ...text, short: 'c' },
  'log-level': { ...text, short: 'l' },
  'disable-admin-sql': flag,
  'disable-admin-sql-writes': flag,
} as const

/** Reads the words after `run`; a flag wins over its variable. Throws UsageError, and StartError where no database is named. */
export function parseOptions(words: readonly string[], env: Environment): LauncherOptions {
  const given = parseFlags(words)
  const database = given.database ?? databaseOfUrl(env.DATABASE_URL)
  if (!database)
    throw new StartError('Cannot start without a database: name one with --database PATH or in DATABASE_URL')
  return {
    host: given.host ?? given.url ?? '127.0.0.1',
    port: integer('--port', given.port, 65_535) ?? DEFAULT_PORT,
    database,
    dialect: dialectOf(given.dialect),
    tls: given.https
      ? tlsFiles(given['tls-cert'] ?? env.TORC_TLS_CERT, given['tls-key'] ?? env.TORC_TLS_KEY)
      : undefined,
    logDir: given['log-dir'] ?? (env.TORC_LOG_DIR || undefined),
    jsonLogs: given['json-logs'] ?? false,
    daemon: given.daemon ?? false,
    pidFile: given['pid-file'] ?? (given.daemon ? DAEMON_PID_FILE : undefined),
    stopAtEndOfInput: given['shutdown-on-stdin-eof'] ?? false,
    bulkBodyBytes: mebibytes(integer('TORC_MAX_REQUEST_BODY_MB', env.TORC_MAX_REQUEST_BODY_MB)),
    access: {
      authFile: given['auth-file'] ?? (env.TORC_AUTH_FILE || undefined),
      requireAuth: given['require-auth'],
      credentialCacheSeconds: integer(
        '--credential-cache-ttl-secs',
        given['credential-cache-ttl-secs'] ?? env.TORC_CREDENTIAL_CACHE_TTL_SECS,
      ),
      enforce: given['enforce-access-control'],
      adminUsers: given['admin-user'] ?? namesOf(env.TORC_ADMIN_USERS),
      adminSql: given['enable-admin-sql'] && !given['disable-admin-sql'],
    },
  }
}

function parseFlags(words: readonly string[]) {
  try {
    return parseArgs({ args: [...words], options: FLAGS, strict: true, allowPositionals: false }).values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

/** Largest count of seconds or MiB that anybody means; it keeps products of it exact. */
const MOST = 2 ** 31

function integer(name: string, given: string | undefined, most = MOST): number | undefined {
  if (given === undefined || given === '') return undefined
  const value = Number(given)
  if (/^\d+$/.test(given) && value <= most) return value
  throw new UsageError(`Cannot use ${name} ${given} as it must be an integer from 0 to ${most}`)
}

const mebibytes = (count: number | undefined): number | undefined => (count === undefined ? undefined : count * 2 ** 20)

function dialectOf(word: string | undefined): DialectOption {
  const found = DIALECTS.find(dialect => dialect === (word ?? 'auto'))
  if (found === undefined)
    throw new UsageError(`Cannot use --dialect ${word} as it must be one of ${DIALECTS.join(', ')}`)
  return found
}

function tlsFiles(certPath: string | undefined, keyPath: string | undefined) {
  if (certPath && keyPath) return { certPath, keyPath }
  throw new StartError('Cannot serve HTTPS without a certificate and its key: name them with --tls-cert and --tls-key')
}

/** The forms of DATABASE_URL: `sqlite:PATH`, `sqlite://PATH`, `sqlite::memory:`, or a bare path. */
function databaseOfUrl(url: string | undefined): string | undefined {
  return url?.replace(/^sqlite:(\/\/)?/, '').replace(/\?.*$/, '')
}

const namesOf = (list: string | undefined): string[] =>
  (list ?? '')
    .split(',')
    .map(name => name.trim())
    .filter(name => name !== '')
