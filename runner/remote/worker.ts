import { usageError } from '../command-line/error.ts'

/** A machine that is reached over ssh. */
export type Worker = {
  /** As the control plane keeps it. */
  name: string
  /** `user@host`, or the host alone: ssh's own configuration may say the rest. */
  destination: string
  port: number | undefined
  /** Names its files, here and there. */
  folder: string
}

/** Letters and digits first: a word that begins with a hyphen would be an option of ssh. */
const FORM = /^((?:[A-Za-z0-9_][\w.-]*@)?(?:[A-Za-z0-9_][\w.-]*|\[[\w:.%]+\]))(?::(\d{1,5}))?$/

/** Reads `[user@]host[:port]`. Throws a usage error for anything else. */
export function parseWorker(name: string): Worker {
  const [, destination, port] = FORM.exec(name) ?? []
  if (destination === undefined || (port !== undefined && (Number(port) < 1 || Number(port) > 65_535)))
    throw usageError(`Cannot use ${name} as a remote worker: it must be [user@]host[:port]`)
  return {
    name,
    // ssh wants addresses of IPv6 without the brackets that tell them from a port.
    destination: destination.replace(/[[\]]/g, ''),
    port: port === undefined ? undefined : Number(port),
    folder: name.replace(/[^A-Za-z0-9.-]+/g, '_'),
  }
}

/** Reads a list with a worker on each line; what follows a # is a remark. */
export const parseWorkerFile = (text: string): string[] =>
  text
    .split('\n')
    .map(line => line.replace(/#.*/, '').trim())
    .filter(line => line !== '')
