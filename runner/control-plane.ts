import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createHttpTransport } from './client/http-transport.ts'
import { type ServerAddress, serverAddress } from './client/server-address.ts'
import { type Client, createClient } from './client.ts'
import { cannotRun } from './command-line/error.ts'
import { DATABASE_NAME, INFO_NAME, OUTPUT_DIR } from './defaults.ts'
import { startLocalServer } from './local-server.ts'
import { readServerInfo } from './server-info.ts'

/** The options that say where the control plane is, as the command line gives them. */
export type ControlPlaneFlags = { url?: string; 'output-dir'?: string; db?: string; 'ca-cert'?: string }

export type ControlPlane = {
  client: Client
  /** For messages: the address or the path of the database. */
  where: string
  /** Where it is served; absent when this process has opened the database itself. */
  address?: ServerAddress
  close(): Promise<void>
}

/** `create`: a database that does not exist yet is made. `attempts`: how often a request is tried, where the usual is too much. */
export type OpenOptions = { create?: boolean; attempts?: number }

/** A running server that does not say hello by then is busy with something else than us. */
const HELLO_TIMEOUT_MS = 5_000

/**
 * Finds the control plane that a one-shot command asks: the server of --url or the environment; else the server that runs on the
 * output directory, which owns the database; else the database itself, opened in this process. Throws when there is none.
 */
export async function openControlPlane(
  flags: ControlPlaneFlags,
  env: NodeJS.ProcessEnv,
  { create = false, attempts }: OpenOptions = {},
): Promise<ControlPlane> {
  const address = serverAddress({ url: flags.url, db: flags.db, caCert: flags['ca-cert'] }, env)
  if (address !== undefined) return connect(address, env, attempts)
  const outputDir = resolve(flags['output-dir'] ?? OUTPUT_DIR)
  const named = flags.db === undefined ? undefined : resolve(flags.db)
  return (
    (await findRunning(outputDir, named, env, attempts)) ??
    openDatabase(named ?? join(outputDir, DATABASE_NAME), create)
  )
}

function connect(address: ServerAddress, env: NodeJS.ProcessEnv, attempts?: number): ControlPlane {
  const client = createClient(createHttpTransport(address, env), { ...address, attempts })
  return { client, where: address.baseUrl, address, close: () => client.close() }
}

/**
 * The server that left its address in the output directory, if it still answers and serves the database that is wanted; what a killed
 * one left is passed over.
 */
async function findRunning(
  outputDir: string,
  dbPath: string | undefined,
  env: NodeJS.ProcessEnv,
  attempts?: number,
): Promise<ControlPlane | undefined> {
  const info = readServerInfo(join(outputDir, INFO_NAME))
  if (info === undefined || (dbPath !== undefined && info.dbPath !== dbPath)) return undefined
  const address = { ...serverAddress({ url: info.url }, {})!, token: info.token }
  const hello = createClient(createHttpTransport(address, env), { token: info.token, attempts: 1 })
  const { ok } = await hello.request('GET', '/ping', undefined, { timeoutMs: HELLO_TIMEOUT_MS })
  await hello.close()
  return ok ? connect(address, env, attempts) : undefined
}

async function openDatabase(dbPath: string, create: boolean): Promise<ControlPlane> {
  if (!create && !existsSync(dbPath)) {
    throw cannotRun(
      `Cannot find a database: ${dbPath} does not exist. Name the output directory of the run (--output-dir), or a server (--url)`,
    )
  }
  const { createAppTransport } = await import('./client/app-transport.ts')
  const server = await startLocalServer({ dbPath, durability: 'process' })
  return {
    client: createClient(createAppTransport(server.app), { token: server.token }),
    where: dbPath,
    close: () => server.close(),
  }
}
