import { dirname } from 'node:path'
import type { RunningServer, ServerOptions } from '../api/node.ts'
import { cannotRun } from './command-line/error.ts'
import { makeDirectory } from './make-directory.ts'
import { VERSION } from './version.ts'

/** Who a server lets in beside its own user. */
export type ServerAccess = NonNullable<ServerOptions['access']>

export type LocalServerOptions = Omit<ServerOptions, 'version' | 'log'>

/**
 * Opens a database in this process and serves it: the one place where the runner meets the control plane's code, loaded only when it
 * is called. Notices go to standard error. Throws `cannotRun` with the server's own words when file or address cannot be had.
 */
export async function startLocalServer(options: LocalServerOptions): Promise<RunningServer> {
  if (!isUrl(options.dbPath)) makeDirectory(dirname(options.dbPath))
  if (options.infoPath !== undefined) makeDirectory(dirname(options.infoPath))
  const { startServer, StartError } = await import('../api/node.ts')
  const told = (error: unknown): unknown => (error instanceof StartError ? cannotRun(error.message) : error)
  try {
    const server = await startServer({ ...options, version: VERSION, log: line => process.stderr.write(`${line}\n`) })
    return {
      ...server,
      createWorkflow: (...args) =>
        server.createWorkflow(...args).catch((error: unknown) => {
          throw told(error)
        }),
    }
  } catch (error) {
    throw told(error)
  }
}

/** Whether a database is named by the address of its server. */
export const isUrl = (database: string): boolean => /^[a-z]+:\/\//.test(database)
