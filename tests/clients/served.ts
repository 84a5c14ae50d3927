import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type RunningServer, startServer } from '../../api/node.ts'
import { openTorcClient, type TorcClient, VERSIONS, type Version } from './torc-client.ts'

export type Served = {
  server: RunningServer
  clients: Record<Version, TorcClient>
  close(): Promise<void>
}

/** A server on a free port with a database of its own, and one client of each version that talks to it. */
export async function serveToClients(): Promise<Served> {
  const folder = mkdtempSync(join(tmpdir(), 'headrace-clients-'))
  const log = (line: string) => console.error(line)
  const server = await startServer({ dbPath: join(folder, 'test.db'), durability: 'process', version: 'test', log })
  const opened = VERSIONS.map(version => [version, openTorcClient(version, server.url)] as const)
  return {
    server,
    clients: Object.fromEntries(opened) as Served['clients'],
    async close() {
      for (const [, client] of opened) client.close()
      await server.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
