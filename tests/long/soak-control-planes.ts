import { mkdirSync } from 'node:fs'
import { BUNDLE } from '../cli/program.ts'
import type { Place } from './soak-place.ts'
import { answers, type Service, startService } from './soak-service.ts'

export type ControlPlane = Service & { readonly url: string }

export const TOKEN = 'soak-token'
/** In a place of its own every port is free. */
const PORT = 8080

export type ControlPlaneOptions = {
  place: Place
  /** The place's address as runners see it. */
  host: string
  db: string
  directory: string
}

/** Starts a server as users do, in a place of its own. */
export async function startControlPlane({ place, host, db, directory }: ControlPlaneOptions): Promise<ControlPlane> {
  mkdirSync(directory, { recursive: true })
  const words = ['server', '--host', host, '--port', String(PORT), '--output-dir', directory, '--db', db]
  const url = `http://${host}:${PORT}`
  const service = await startService({
    place,
    command: [process.execPath, BUNDLE, ...words],
    env: { HEADRACE_TOKEN: TOKEN },
    isUp: () => answers(`${url}/v1/ping`, { authorization: `Bearer ${TOKEN}` }),
  })
  return Object.assign(service, { url })
}
