import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { SQLD } from '../helpers/sqld.ts'
import type { Place } from './soak-place.ts'
import { answers, type Service, startService } from './soak-service.ts'

export const SQLD_PORT = 8081

/** Starts a libSQL server in a place of its own, on all of its addresses. `host` is the one that the test sees. */
export function startSoakSqld(place: Place, host: string, directory: string): Promise<Service> {
  mkdirSync(place.seen(directory), { recursive: true })
  const words = ['--no-welcome', '--db-path', join(directory, 'data'), '--http-listen-addr', `0.0.0.0:${SQLD_PORT}`]
  return startService({
    place,
    command: [SQLD, ...words],
    env: { RUST_LOG: 'error' },
    isUp: () => answers(`http://${host}:${SQLD_PORT}/health`),
  })
}
