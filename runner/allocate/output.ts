import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** What is kept of the output of an allocation that ended too soon, and what of it goes into messages. */
const KEPT_BYTES = 65_536
const SHOWN_CHARACTERS = 2_000

/** Scripts and secrets lie beside the output. */
const NO_OUTPUT = /\.sh$|\.sub$|^environment$|\.tmp$/

/** The end of what the elements of an allocation printed last; undefined when they printed nothing, or nothing can be read here. */
export function lastOutput(directory: string): string | undefined {
  try {
    const files = readdirSync(directory)
      .filter(name => !NO_OUTPUT.test(name))
      .map(name => ({ path: join(directory, name), stat: statSync(join(directory, name)) }))
      .filter(({ stat }) => stat.isFile() && stat.size > 0)
      .sort((a, b) => b.stat.mtimeMs - a.stat.mtimeMs)
    const [newest] = files
    if (newest === undefined) return undefined
    return readEnd(newest.path, newest.stat.size).trim().slice(-SHOWN_CHARACTERS) || undefined
  } catch {
    return undefined
  }
}

function readEnd(path: string, size: number): string {
  const buffer = Buffer.alloc(Math.min(size, KEPT_BYTES))
  const file = openSync(path, 'r')
  try {
    const count = readSync(file, buffer, 0, buffer.length, size - buffer.length)
    return buffer.toString('utf8', 0, count)
  } finally {
    closeSync(file)
  }
}
