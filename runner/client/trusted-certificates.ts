import { readFileSync } from 'node:fs'
import { cannotRun } from '../command-line/error.ts'

/** The certificates to trust when --ca-cert names a file; undefined leaves Node's own. Throws when the file cannot be read. */
export function trustedCertificates(path: string | undefined): string[] | undefined {
  if (path === undefined) return undefined
  try {
    const { rootCertificates } = process.getBuiltinModule('node:tls')
    return [...rootCertificates, readFileSync(path, 'utf8')]
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    throw cannotRun(`Cannot read the certificates of --ca-cert: ${path} (${code})`)
  }
}
