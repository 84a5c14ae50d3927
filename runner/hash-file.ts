import { createHash } from 'node:crypto'
import { closeSync, openSync, readSync } from 'node:fs'

/** Large enough that reading and hashing cost little beside the bytes, small enough for a thread each. */
const CHUNK_BYTES = 1 << 20

/** The SHA-256 of a file in hex, in constant memory. Throws the system's error when it cannot be read. */
export function hashFile(path: string): string {
  const hash = createHash('sha256')
  const file = openSync(path, 'r')
  try {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES)
    for (let bytes = readSync(file, chunk); bytes > 0; bytes = readSync(file, chunk))
      hash.update(chunk.subarray(0, bytes))
  } finally {
    closeSync(file)
  }
  return hash.digest('hex')
}
