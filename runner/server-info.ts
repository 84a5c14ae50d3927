import { readFileSync } from 'node:fs'

/** What a running server tells other commands of its user in a file of the output directory. */
export type ServerInfo = { url: string; token: string; dbPath: string }

/** Reads the file; undefined when there is none or it is not whole: then no server is to be found by it. */
export function readServerInfo(path: string): ServerInfo | undefined {
  try {
    const info: unknown = JSON.parse(readFileSync(path, 'utf8'))
    return isServerInfo(info) ? info : undefined
  } catch {
    return undefined
  }
}

function isServerInfo(value: unknown): value is ServerInfo {
  if (typeof value !== 'object' || value === null) return false
  const { url, token, dbPath } = value as Partial<Record<keyof ServerInfo, unknown>>
  return typeof url === 'string' && URL.canParse(url) && typeof token === 'string' && typeof dbPath === 'string'
}
