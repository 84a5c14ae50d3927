import { join, resolve } from 'node:path'
import type { ArgsDef, ParsedArgs } from 'citty'
import { allValues } from '../command-line/arguments.ts'
import { usageError } from '../command-line/error.ts'
import { countFlag, durationFlag, wordFlag } from '../command-line/flags.ts'
import { DATABASE_NAME, DURABILITIES, INFO_NAME, OUTPUT_DIR, SERVER_HOST, SERVER_PORT } from '../defaults.ts'
import { isUrl, type LocalServerOptions } from '../local-server.ts'
import { ACCESS_OPTIONS, serverAccess } from '../server-access.ts'

/** What `server` takes, and what a service of it is installed with. */
export const SERVE_OPTIONS = {
  host: {
    type: 'string',
    valueHint: 'ADDRESS',
    description: `address to listen on (default: ${SERVER_HOST}; any but loopback needs HEADRACE_TOKEN, --token-file or --auth-file)`,
  },
  port: {
    type: 'string',
    valueHint: 'PORT',
    description: `port to listen on, 0 for any that is free (default: ${SERVER_PORT})`,
  },
  'output-dir': {
    type: 'string',
    valueHint: 'DIR',
    description: `directory for the database (default: ${OUTPUT_DIR})`,
  },
  db: {
    type: 'string',
    valueHint: 'PATH|URL',
    description: `database file, if not ${DATABASE_NAME} in the output directory, or libsql://, https:// or http:// address of a libSQL server`,
  },
  'db-token-file': {
    type: 'string',
    valueHint: 'PATH',
    description: 'file with the token of that server (HEADRACE_DB_TOKEN)',
  },
  'database-per-project': {
    type: 'boolean',
    description: 'keep what the tokens of each project see in a database of its own at that server',
  },
  'db-admin-url': {
    type: 'string',
    valueHint: 'URL',
    description: 'address where that server makes databases, so that a new project has one',
  },
  'db-admin-key-file': {
    type: 'string',
    valueHint: 'PATH',
    description: 'file with the key of that address (HEADRACE_DB_ADMIN_KEY)',
  },
  durability: {
    type: 'string',
    valueHint: 'process|power',
    description: 'what is safe: process (default) outlives every crash of a program, power also that of the machine',
  },
  ...ACCESS_OPTIONS,
  'tls-cert': { type: 'string', valueHint: 'PATH', description: 'PEM file with the certificate: serve HTTPS' },
  'tls-key': { type: 'string', valueHint: 'PATH', description: 'PEM file with its key' },
  'trust-proxy': {
    type: 'string',
    valueHint: 'ADDRESS',
    description: 'believe the X-Forwarded-For of the proxy at this address; may be given again',
  },
  'webhook-host': {
    type: 'string',
    valueHint: 'NAME',
    description: 'deliver webhooks to this host, or *.NAME to all below it; may be given again (default: to none)',
  },
  'webhook-inside': {
    type: 'boolean',
    description: 'deliver them to plain HTTP and to addresses of the own network too',
  },
  retention: {
    type: 'string',
    valueHint: 'TIME',
    description: 'remove workflows that have been over for so long, such as 90d, with their results (default: never)',
  },
  'token-rate': {
    type: 'string',
    valueHint: 'N',
    description: 'writes per second that one token may send, twice as many at once (default: 2000)',
  },
  'json-logs': { type: 'boolean', description: 'say everything in lines of JSON, and every request' },
} as const satisfies ArgsDef

type Given = ParsedArgs<typeof SERVE_OPTIONS>

/** What these options ask of the server. Throws a usage error for a value that cannot be. */
export function readServeOptions(
  args: Given,
  rawArgs: readonly string[],
  env: NodeJS.ProcessEnv,
): LocalServerOptions & { dbPath: string } {
  const outputDir = resolve(args['output-dir'] ?? OUTPUT_DIR)
  return {
    dbPath: databaseOf(args.db, outputDir),
    dbToken: env.HEADRACE_DB_TOKEN || undefined,
    dbTokenPath: args['db-token-file'] && resolve(args['db-token-file']),
    databasePerProject: projectDatabases(args, env),
    host: args.host ?? SERVER_HOST,
    port: countFlag('--port', args.port, 0, 65_535) ?? SERVER_PORT,
    durability: wordFlag('--durability', args.durability, DURABILITIES) ?? 'process',
    token: env.HEADRACE_TOKEN || undefined,
    tokenPath: args['token-file'] && resolve(args['token-file']),
    access: serverAccess(args, rawArgs, env),
    infoPath: join(outputDir, INFO_NAME),
    tls: tlsFiles(args['tls-cert'], args['tls-key']),
    trustedProxies: allValues(SERVE_OPTIONS, rawArgs, 'trust-proxy'),
    retentionMs: retentionOf(args.retention),
    webhooks: webhooksOf(args, rawArgs),
    limits: tokenLimits(countFlag('--token-rate', args['token-rate'], 1)),
    jsonLog: args['json-logs'] ? line => process.stderr.write(line) : undefined,
  }
}

function databaseOf(named: string | undefined, outputDir: string): string {
  if (named === undefined) return join(outputDir, DATABASE_NAME)
  return isUrl(named) ? named : resolve(named)
}

function projectDatabases(args: Given, env: NodeJS.ProcessEnv): LocalServerOptions['databasePerProject'] {
  const { 'database-per-project': isWanted, 'db-admin-url': adminUrl, 'db-admin-key-file': keyFile } = args
  if (!isWanted) {
    if (adminUrl === undefined && keyFile === undefined) return undefined
    throw usageError('Cannot use an address for making databases without --database-per-project: add it')
  }
  if (adminUrl !== undefined && !/^https?:\/\//.test(adminUrl))
    throw usageError(`Cannot make databases at ${adminUrl}: --db-admin-url takes an http:// or https:// address`)
  return { adminUrl, adminKey: env.HEADRACE_DB_ADMIN_KEY || undefined, adminKeyPath: keyFile && resolve(keyFile) }
}

const tokenLimits = (perSecond: number | undefined) =>
  perSecond === undefined ? undefined : { tokenWrites: { burst: 2 * perSecond, perSecond } }

function tlsFiles(cert: string | undefined, key: string | undefined) {
  if (cert === undefined && key === undefined) return undefined
  if (cert === undefined || key === undefined)
    throw usageError('Cannot serve HTTPS without a certificate and its key: name them with --tls-cert and --tls-key')
  return { certPath: resolve(cert), keyPath: resolve(key) }
}

/** Those that may be given several times. */
const REPEATED: readonly string[] = ['admin-user', 'trust-proxy', 'webhook-host']

/** What was given of them, settings of files and environment included; switches are true. */
export function valuesOf(
  args: Readonly<Record<string, unknown>>,
  rawArgs: readonly string[],
): Record<string, string | true | string[]> {
  const values: Record<string, string | true | string[]> = {}
  for (const name of Object.keys(SERVE_OPTIONS)) {
    const value = args[name]
    if (REPEATED.includes(name)) {
      const all = allValues(SERVE_OPTIONS, rawArgs, name)
      if (all.length > 0) values[name] = all
    } else if (value === true || typeof value === 'string') values[name] = value
  }
  return values
}

function webhooksOf(args: Given, rawArgs: readonly string[]): LocalServerOptions['webhooks'] {
  const hosts = allValues(SERVE_OPTIONS, rawArgs, 'webhook-host').map(host => host.toLowerCase())
  if (hosts.length === 0 && args['webhook-inside'])
    throw usageError('Cannot deliver webhooks to no host: name one with --webhook-host')
  return hosts.length === 0 ? undefined : { hosts, insideNetwork: args['webhook-inside'] === true }
}

function retentionOf(text: string | undefined): number | undefined {
  const seconds = durationFlag('--retention', text)
  return seconds && seconds * 1000
}
