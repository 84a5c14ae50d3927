import { join, resolve } from 'node:path'
import { countFlag, wordFlag } from '../command-line/flags.ts'
import { defineVerb } from '../command-line/verb.ts'
import { DATABASE_NAME, INFO_NAME, OUTPUT_DIR, SERVER_HOST, SERVER_PORT } from '../defaults.ts'
import { isUrl, startLocalServer } from '../local-server.ts'
import { DURABILITIES } from '../run-options.ts'
import { ACCESS_OPTIONS, serverAccess } from '../server-access.ts'

export default defineVerb({
  about: 'Serve the API, so that runners on many machines share one database. Stops at Ctrl-C or TERM.',
  args: {
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
    durability: {
      type: 'string',
      valueHint: 'process|power',
      description: 'what is safe: process (default) outlives every crash of a program, power also that of the machine',
    },
    ...ACCESS_OPTIONS,
  },
  examples: [
    'server',
    'server --host 0.0.0.0 --port 8080 --db /var/lib/headrace/headrace.db --token-file /etc/headrace/token',
    'server --db libsql://jobs.example.org --db-token-file /etc/headrace/db-token',
    'server --auth-file users.htpasswd --require-auth --enforce-access-control --admin-user ada',
  ],
  async run(args, rawArgs) {
    const port = countFlag('--port', args.port, 0, 65_535) ?? SERVER_PORT
    const durability = wordFlag('--durability', args.durability, DURABILITIES) ?? 'process'
    const outputDir = resolve(args['output-dir'] ?? OUTPUT_DIR)
    const dbPath = databaseOf(args.db, outputDir)
    const server = await startLocalServer({
      dbPath,
      dbToken: process.env.HEADRACE_DB_TOKEN || undefined,
      dbTokenPath: args['db-token-file'] && resolve(args['db-token-file']),
      host: args.host ?? SERVER_HOST,
      port,
      durability,
      token: process.env.HEADRACE_TOKEN || undefined,
      tokenPath: args['token-file'] && resolve(args['token-file']),
      access: serverAccess(args, rawArgs, process.env),
      infoPath: join(outputDir, INFO_NAME),
    })
    process.stderr.write(`Serving ${dbPath} at ${server.url}, stop with Ctrl-C\n`)
    await stopSignal()
    await server.close()
    return 0
  },
})

function databaseOf(named: string | undefined, outputDir: string): string {
  if (named === undefined) return join(outputDir, DATABASE_NAME)
  return isUrl(named) ? named : resolve(named)
}

/** Resolves at the first request to stop. A second one ends the process the usual way, in case closing takes too long. */
function stopSignal(): Promise<void> {
  return new Promise(resolve => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
  })
}
