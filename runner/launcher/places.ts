import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** From the sources this file is .ts and the build lies in the checkout's dist/; in a bundle it lies beside the bundle. */
const isSource = import.meta.url.endsWith('.ts')
const here = dirname(fileURLToPath(import.meta.url))

/** Where native/build.sh puts the launcher, and copies of the stand-in's scripts. */
export const distDirectory = isSource ? join(here, '../../dist') : here
/** The C sources and scripts of a room; may be absent where dist/ was copied alone. */
export const sourcesOf = (room: 'launcher' | 'exec'): string =>
  isSource ? join(here, '..', room, 'native') : join(here, '../runner', room, 'native')

export const sourceDirectory = sourcesOf('launcher')

/** The path of one of the stand-ins' scripts; the sources win over a copy that may be older. */
export function findScript(name: string, directory = sourceDirectory): string {
  const source = join(directory, name)
  return existsSync(source) ? source : join(distDirectory, name)
}
