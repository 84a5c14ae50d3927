import { waitUntil } from '../launcher/harness.ts'
import type { Running, Site } from './site.ts'

const ADDRESS = /http:\/\/127\.0\.0\.1:\d+/

/** Starts `runner server` in a site and waits for its address; throws with its last words when it ends instead. */
export async function startServer(
  site: Site,
  { port = '0', env }: { port?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<{ server: Running; url: string }> {
  const server = site.start(['server', '--port', port], env)
  const said = () => ADDRESS.exec(server.output.stdout + server.output.stderr)?.[0]
  const url = await waitUntil('the server listens', said, found => found !== undefined || server.hasEnded(), 60_000)
  if (url === undefined) throw new Error(`The server ended: ${server.output.stderr}`)
  return { server, url }
}
