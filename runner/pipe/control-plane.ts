import { join, resolve } from 'node:path'
import { createHttpTransport } from '../client/http-transport.ts'
import { type ServerAddress, serverAddress } from '../client/server-address.ts'
import { createClient } from '../client.ts'
import { cannotRun } from '../command-line/error.ts'
import { type ControlPlane, type ControlPlaneFlags, openControlPlane } from '../control-plane.ts'
import { DATABASE_NAME, INFO_NAME, OUTPUT_DIR } from '../defaults.ts'
import { startLocalServer } from '../local-server.ts'

/** A control plane that other processes can reach. */
export type ReachableControlPlane = ControlPlane & {
  address: ServerAddress
  /** This process serves it: elements lose it when the command ends. */
  isOwn: boolean
}

/**
 * Opens the control plane for elements that come from elsewhere: the server there is, or one that this command runs for as long as it stays
 * (`mayServe`), which only elements of this machine can reach. Throws when there is neither.
 */
export async function openReachable(
  flags: ControlPlaneFlags,
  env: NodeJS.ProcessEnv,
  { mayServe }: { mayServe: boolean },
): Promise<ReachableControlPlane> {
  const found = await openControlPlane(flags, env, { create: mayServe })
  if (found.address !== undefined) return { ...found, address: found.address, isOwn: false }
  await found.close()
  if (!mayServe) {
    throw cannotRun(
      `Cannot submit as no server runs on ${found.where}, so that no element could reach it: start \`runner server\` on it, and give --url where compute nodes know it by another name`,
    )
  }
  return serveHere(flags, env)
}

async function serveHere(flags: ControlPlaneFlags, env: NodeJS.ProcessEnv): Promise<ReachableControlPlane> {
  const outputDir = resolve(flags['output-dir'] ?? OUTPUT_DIR)
  const dbPath = flags.db === undefined ? join(outputDir, DATABASE_NAME) : resolve(flags.db)
  const server = await startLocalServer({ dbPath, durability: 'process', infoPath: join(outputDir, INFO_NAME) })
  const address = { ...serverAddress({ url: server.url }, {})!, token: server.token }
  const client = createClient(createHttpTransport(address, env), address)
  return {
    client,
    where: address.baseUrl,
    address,
    isOwn: true,
    async close() {
      await client.close()
      await server.close()
    },
  }
}
