import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

/** The end of a text file that may be huge; empty when it cannot be read. */
export function readFileEnd(path: string, atMostBytes: number): string {
  try {
    const file = openSync(path, 'r')
    try {
      const { size } = fstatSync(file)
      const buffer = Buffer.alloc(Math.min(size, atMostBytes))
      const read = readSync(file, buffer, 0, buffer.length, size - buffer.length)
      return buffer.toString('utf8', 0, read)
    } finally {
      closeSync(file)
    }
  } catch {
    return ''
  }
}
