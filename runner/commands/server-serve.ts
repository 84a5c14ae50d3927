import { defineVerb } from '../command-line/verb.ts'
import { startLocalServer } from '../local-server.ts'
import { readServeOptions, SERVE_OPTIONS } from '../service/serve-options.ts'

export default defineVerb({
  about: 'Serve the API, so that runners on many machines share one database. Stops at Ctrl-C or TERM.',
  args: SERVE_OPTIONS,
  examples: [
    'server',
    'server --host 0.0.0.0 --port 8080 --db /var/lib/headrace/headrace.db --token-file /etc/headrace/token',
    'server --db libsql://jobs.example.org --db-token-file /etc/headrace/db-token',
    'server --db http://localhost:8081 --database-per-project --db-admin-url http://localhost:8082',
    'server --host 0.0.0.0 --tls-cert cert.pem --tls-key key.pem --token-file token --json-logs',
    'server --auth-file users.htpasswd --require-auth --enforce-access-control --admin-user ada',
  ],
  async run(args, rawArgs) {
    const options = readServeOptions(args, rawArgs, process.env)
    const server = await startLocalServer(options)
    const message = `Serving ${options.dbPath} at ${server.url}`
    if (options.jsonLog === undefined) process.stderr.write(`${message}, stop with Ctrl-C\n`)
    else options.jsonLog(`${JSON.stringify({ timestamp: new Date().toISOString(), level: 'info', message })}\n`)
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
