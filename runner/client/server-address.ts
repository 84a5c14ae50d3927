import { usageError } from '../command-line/error.ts'
import { type Proof, proofFrom } from './authorization.ts'

/** Where a control plane is reached over HTTP, and what proves who we are. */
export type ServerAddress = Proof & {
  /** Ends with the API's base path, without a slash. */
  baseUrl: string
  /** Path of a PEM file with certificates to trust besides those that Node brings. */
  caCert?: string
}

export type ServerFlags = { url?: string; db?: string; caCert?: string }

/** Where the two dialects of the API are mounted; an address without either means ours. */
const BASE_PATH = /\/(torc-service\/)?v1$/

/**
 * Finds the server that a command is to talk to: --url, else HEADRACE_API_URL, else TORC_API_URL. Undefined means the database of
 * the output directory; so does --db, which names a local file and goes before the environment. Throws a usage error for an address that is none.
 */
export function serverAddress(flags: ServerFlags, env: NodeJS.ProcessEnv): ServerAddress | undefined {
  if (flags.url !== undefined && flags.db !== undefined) {
    throw usageError('Cannot use both --url and --db: the database of a server is opened by the server alone')
  }
  const fromEnv = flags.db === undefined ? env.HEADRACE_API_URL || env.TORC_API_URL || undefined : undefined
  const text = flags.url ?? fromEnv
  if (text === undefined) return undefined
  return {
    baseUrl: parseBaseUrl(text),
    ...proofFrom(env),
    caCert: flags.caCert,
  }
}

function parseBaseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw usageError(
      `Cannot use the server's address as it must start with http:// or https://: current value is ${text}`,
    )
  }
  const base = `${url.origin}${url.pathname.replace(/\/+$/, '')}`
  return BASE_PATH.test(base) ? base : `${base}/v1`
}
