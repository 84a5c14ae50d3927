import { readDatabaseToken } from '../database-server.ts'
import type { DatabaseAdmin } from './create-namespace.ts'

export type ProjectDatabases = {
  /** The port of the server that makes databases. Absent: they are all there. */
  adminUrl?: string
  /** What that port wants to see, or a file with it. */
  adminKey?: string
  adminKeyPath?: string
}

/** How to have databases made. Throws StartError when the key's file cannot be read. */
export function databaseAdmin({ adminUrl, adminKey, adminKeyPath }: ProjectDatabases): DatabaseAdmin | undefined {
  if (adminUrl === undefined) return undefined
  return { url: adminUrl, key: adminKeyPath === undefined ? adminKey : readDatabaseToken(adminKeyPath) }
}
