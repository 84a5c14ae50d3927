import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import { StartError } from './start-error.ts'

export type TlsFiles = { certPath: string; keyPath: string }

/** Reads a certificate and its key, and makes sure that they belong together. Throws StartError. */
export function readTls({ certPath, keyPath }: TlsFiles): { cert: string; key: string } {
  try {
    const pair = { cert: readFileSync(certPath, 'utf8'), key: readFileSync(keyPath, 'utf8') }
    createSecureContext(pair)
    return pair
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new StartError(`Cannot serve HTTPS with ${certPath} and ${keyPath}: ${why}`)
  }
}
