import { resolve } from 'node:path'
import { MARK_NAME } from './processes.ts'
import { encodeLabel, listOverlay } from './request.ts'
import type { LaunchRequest } from './types.ts'

/** What is sent to the stand-in's slots (native/slot.sh): texts that each end in NUL, a list begins with its length. */
export function encodeTexts(...parts: (string | readonly string[])[]): string {
  const texts = parts.flatMap(part => (typeof part === 'string' ? [part] : [String(part.length), ...part]))
  return texts.map(text => `${text}\0`).join('')
}

/** Where the bare shell would look without a PATH. */
export const DEFAULT_PATH = '/usr/bin:/bin'

/** Paths are made absolute, since a slot changes directory for the job and stays where the runner was started itself. */
export function encodeForSlot(
  request: LaunchRequest,
  queued: boolean,
  environment: Record<string, string>,
  mark: string,
): string {
  const removes = Object.values(request.env).includes(null)
  // What the slot knows already is not sent again, unless something must be taken out of it.
  const overlay: LaunchRequest['env'] = { ...(removes ? environment : {}), ...request.env }
  const path = request.env.PATH === undefined ? environment.PATH : request.env.PATH
  // `env`, which starts the program, would take a program whose name has a `=` for a variable.
  const argv = request.argv[0].includes('=') ? ['/bin/sh', '-c', 'exec "$@"', 'sh', ...request.argv] : request.argv
  return encodeTexts(
    String(request.tag),
    queued ? '1' : '0',
    encodeLabel(request.label),
    request.cwd === undefined ? '' : resolve(request.cwd),
    resolve(request.stdout ?? '/dev/null'),
    request.stderr === 'stdout' ? '' : resolve(request.stderr ?? '/dev/null'),
    path ?? DEFAULT_PATH,
    removes ? '0' : '1',
    [...listOverlay(overlay).filter(entry => entry.includes('=')), `${MARK_NAME}=${mark}`],
    argv,
  )
}
