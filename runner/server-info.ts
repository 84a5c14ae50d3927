import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'

/** What a running server tells other commands of its user in a file of the output directory. */
export type ServerInfo = { url: string; token: string; dbPath: string }

/**
 * Reads the file; undefined when there is none or it is not whole, or its server was killed: then no server is to be found by it. Whoever
 * listens at the address of a dead one would be shown its token, and on a login node that is anybody.
 */
export function readServerInfo(path: string): ServerInfo | undefined {
  try {
    const info: unknown = JSON.parse(readFileSync(path, 'utf8'))
    return isServerInfo(info) && !hasEnded(info) ? info : undefined
  } catch {
    return undefined
  }
}

/** Only of a process of this host it can be told. */
function hasEnded({ pid, host }: ServerInfo & { pid?: unknown; host?: unknown }): boolean {
  if (typeof pid !== 'number' || host !== hostname()) return false
  try {
    process.kill(pid, 0)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}

function isServerInfo(value: unknown): value is ServerInfo {
  if (typeof value !== 'object' || value === null) return false
  const { url, token, dbPath } = value as Partial<Record<keyof ServerInfo, unknown>>
  return typeof url === 'string' && URL.canParse(url) && typeof token === 'string' && typeof dbPath === 'string'
}
