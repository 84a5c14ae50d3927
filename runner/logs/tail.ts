import { closeSync, openSync, readSync, statSync } from 'node:fs'

const CHUNK_BYTES = 64 * 1024

/** Where the last `lines` lines of a file begin. A line break at the very end does not count. */
export function startOfTail(path: string, lines: number): number {
  const fd = openSync(path, 'r')
  try {
    const chunk = Buffer.alloc(CHUNK_BYTES)
    let end = statSync(path).size
    let left = lines + 1
    let isLast = true
    while (end > 0) {
      const from = Math.max(0, end - CHUNK_BYTES)
      const read = readSync(fd, chunk, 0, end - from, from)
      for (let at = read - 1; at >= 0; at--) {
        if (chunk[at] === NEWLINE && !isLast && --left === 1) return from + at + 1
        isLast = false
        if (left === 1) return from + at + 1
      }
      end = from
    }
    return 0
  } finally {
    closeSync(fd)
  }
}

const NEWLINE = 10

/** Writes what a file holds from a position on; tells where it ends now. A file that is gone has nothing more. */
export function copyFrom(path: string, position: number, write: (bytes: Buffer) => void): number {
  let fd: number
  try {
    fd = openSync(path, 'r')
  } catch {
    return position
  }
  try {
    for (;;) {
      const chunk = Buffer.alloc(CHUNK_BYTES)
      const read = readSync(fd, chunk, 0, CHUNK_BYTES, position)
      if (read === 0) return position
      write(chunk.subarray(0, read))
      position += read
    }
  } finally {
    closeSync(fd)
  }
}
