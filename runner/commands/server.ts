import { join, resolve } from 'node:path'
import { countFlag, wordFlag } from '../command-line/flags.ts'
import { defineVerb } from '../command-line/verb.ts'
import { DATABASE_NAME, INFO_NAME, OUTPUT_DIR, SERVER_HOST, SERVER_PORT } from '../defaults.ts'
import { startLocalServer } from '../local-server.ts'
import { DURABILITIES } from '../run-options.ts'

export default defineVerb({
  about: 'Serve the API, so that runners on many machines share one database. Stops at Ctrl-C or TERM.',
  args: {
    host: {
      type: 'string',
      valueHint: 'ADDRESS',
      description: `address to listen on (default: ${SERVER_HOST}; any but loopback needs a token in HEADRACE_TOKEN)`,
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
      valueHint: 'PATH',
      description: `database file, if not ${DATABASE_NAME} in the output directory`,
    },
    durability: {
      type: 'string',
      valueHint: 'MODE',
      description: 'what is safe: process (default) outlives every crash of a program, power also that of the machine',
    },
  },
  examples: ['server', 'server --host 0.0.0.0 --port 8080 --db /var/lib/headrace/headrace.db'],
  async run(args) {
    const port = countFlag('--port', args.port, 0, 65_535) ?? SERVER_PORT
    const durability = wordFlag('--durability', args.durability, DURABILITIES) ?? 'process'
    const outputDir = resolve(args['output-dir'] ?? OUTPUT_DIR)
    const dbPath = args.db === undefined ? join(outputDir, DATABASE_NAME) : resolve(args.db)
    const server = await startLocalServer({
      dbPath,
      host: args.host ?? SERVER_HOST,
      port,
      durability,
      token: process.env.HEADRACE_TOKEN || undefined,
      infoPath: join(outputDir, INFO_NAME),
    })
    process.stderr.write(`Serving ${dbPath} at ${server.url}, stop with Ctrl-C\n`)
    await stopSignal()
    await server.close()
    return 0
  },
})

/** Resolves at the first request to stop. A second one ends the process the usual way, in case closing takes too long. */
function stopSignal(): Promise<void> {
  return new Promise(resolve => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
  })
}
