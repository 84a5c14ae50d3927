import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { createExchanges } from '../client/http-transport.ts'
import type { ServerAddress } from '../client/server-address.ts'
import { CommandError } from '../command-line/error.ts'
import { type ControlPlaneFlags, openControlPlane } from '../control-plane.ts'
import { bad, type Finding, ok, warn } from './finding.ts'

const PATIENCE_MS = 10_000
/** Times of events and of files are compared across machines; the header's own step is a second. */
const MOST_SKEW_SECONDS = 5

type Version = { version: string; api_version: string }

/** Asks the control plane that commands would ask, and compares its clock with ours. */
export async function checkServer(flags: ControlPlaneFlags, env: NodeJS.ProcessEnv): Promise<Finding[]> {
  try {
    const controlPlane = await openControlPlane(flags, env)
    try {
      const { client, where, address } = controlPlane
      const version = await client.request<Version>('GET', '/version', undefined, { timeoutMs: PATIENCE_MS })
      if (!version.ok) return [bad('server', `${where} does not answer: ${version.message}`)]
      const list = await client.request('GET', '/workflows?limit=1', undefined, { timeoutMs: PATIENCE_MS })
      if (!list.ok) return [bad('server', `${where} refuses to list workflows: ${list.message}`)]
      const found = ok('server', `${where} (${version.value.version})`)
      return address === undefined ? [found] : [found, await checkClock(address, env)]
    } finally {
      await controlPlane.close()
    }
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    const nothingYet = error.message.startsWith('Cannot find a database')
    return [
      nothingYet
        ? ok('server', 'none, and no database here yet: `runner run` makes one')
        : bad('server', error.message),
    ]
  }
}

async function checkClock(address: ServerAddress, env: NodeJS.ProcessEnv): Promise<Finding> {
  const seconds = await skewSeconds(address, env)
  if (seconds === undefined) return warn('clock', 'the server does not say its time')
  const text = `the server's is ${Math.abs(seconds).toFixed(0)} s ${seconds < 0 ? 'behind' : 'ahead'}`
  return Math.abs(seconds) <= MOST_SKEW_SECONDS
    ? ok('clock', `agrees with the server's`)
    : warn('clock', `${text}: leases are not concerned, but times of files and events do not compare`)
}

/** How far the server's clock is ahead of ours, by the date in its reply. */
async function skewSeconds(address: ServerAddress, env: NodeJS.ProcessEnv): Promise<number | undefined> {
  const exchanges = createExchanges(address, env)
  try {
    const request = await exchanges.open({ method: 'GET', path: '/ping', headers: {}, timeoutMs: PATIENCE_MS })
    request.setTimeout(PATIENCE_MS, () => request.destroy(new Error('no reply')))
    request.end()
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    response.resume()
    const date = Date.parse(response.headers.date ?? '')
    return Number.isNaN(date) ? undefined : (date - Date.now()) / 1000
  } catch {
    return undefined
  } finally {
    exchanges.close()
  }
}
