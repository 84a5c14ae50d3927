import { type ServerAddress, serverAddress } from '../client/server-address.ts'
import { cannotRun } from '../command-line/error.ts'
import type { ControlPlane } from '../control-plane.ts'

/** The server that runners elsewhere talk to. Throws when this process has opened the database itself. */
export function needAddress({ address, where }: ControlPlane): ServerAddress {
  if (address !== undefined) return address
  throw cannotRun(
    `Cannot start runners elsewhere as no server serves ${where}: start \`runner server\` there, or name one with --url`,
  )
}

/** Where runners elsewhere find the server: at the address that the user names, else where this process does. */
export const nodeUrl = (named: string | undefined, own: ServerAddress): string =>
  named === undefined ? own.baseUrl : serverAddress({ url: named }, {})!.baseUrl
