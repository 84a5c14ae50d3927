import packageJson from '../../../package.json' with { type: 'json' }
import { StartError } from '../start-error.ts'
import { startInBackground } from './background.ts'
import { parseOptions, UsageError } from './options.ts'
import { serve } from './serve.ts'
import { manageService } from './service.ts'

/**
 * The program that Torc's tools start as `torc-server` (contract/notes.md 17): they find it by name, give it Torc's flags, and read the
 * port from its standard output.
 */

const VERSION: string = packageJson.version

const HELP = `Usage: torc-server [run] [FLAGS]
       torc-server service install|uninstall|start|stop|status [--user] [FLAGS]

Headrace in the place of Torc's server.

  -H, --host ADDRESS               address to listen on (127.0.0.1); also --url, -u
  -p, --port PORT                  port, 0 for any free one (8080)
  -d, --database PATH              database file, or :memory: (DATABASE_URL)
      --shutdown-on-stdin-eof      stop when standard input ends
      --daemon, --pid-file PATH    go to the background; where its process id is written
      --log-dir DIR, --json-logs   log to a file as well (TORC_LOG_DIR); as JSON lines
      --https, --tls-cert PATH, --tls-key PATH
                                   serve HTTPS (TORC_TLS_CERT, TORC_TLS_KEY)
      --auth-file PATH             password file, bcrypt (TORC_AUTH_FILE)
      --require-auth               let nobody in without a password
      --credential-cache-ttl-secs SECONDS
                                   how long a password that was right is remembered (60)
      --enforce-access-control     workflows belong to their owners and groups
      --admin-user NAME            a system administrator; may be repeated (TORC_ADMIN_USERS)
      --enable-admin-sql           let administrators read the database by SQL
      --dialect auto|old|new       which form of the contract clients read (auto)

Taken and not needed: --threads, --completion-check-interval-secs, --log-level, --disable-admin-sql,
--disable-admin-sql-writes. SIGUSR1 writes a snapshot to TORC_SERVER_SNAPSHOT_PATH; TORC_SERVER_SNAPSHOT_KEEP says
how many are kept (5).
`

// Whoever reads our output may go away; what is still to be written then has no reader.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error
  })
}

process.exitCode = await main(process.argv.slice(2)).catch(report)

async function main(words: readonly string[]): Promise<number> {
  const [first = 'run', ...rest] = words
  if (first === '--version' || first === '-V') return say(`torc-server 1.0.0 (headrace ${VERSION})\n`)
  if (words.includes('--help') || words.includes('-h')) return say(HELP)
  if (first === 'service') return manageService(rest)
  if (first === 'export')
    throw new UsageError('Cannot export a database yet: GET /workflows/{id}/export exports a workflow')
  const isFlag = first.startsWith('-')
  if (first !== 'run' && !isFlag) throw new UsageError(`Cannot do ${first}: the commands are run and service`)
  const flags = isFlag ? words : rest
  const options = parseOptions(flags, process.env)
  await (options.daemon ? startInBackground(flags, options) : serve(options, VERSION))
  return 0
}

function say(text: string): number {
  process.stdout.write(text)
  return 0
}

/** Mistakes in the command line are 2, all else that keeps the server from starting is 1 (contract/notes.md 17). */
function report(error: unknown): number {
  const expected = error instanceof UsageError || error instanceof StartError
  const text = expected ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error)
  process.stderr.write(`${text}\n`)
  return error instanceof UsageError ? 2 : 1
}
