import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Writes a file for its owner alone, so that whoever reads it finds the old text or the new one, never a part, wherever the writer is
 * killed: another file beside it, renamed. `sync`: it is on the disk when this returns. Throws what the file system says.
 */
export function writeWhole(path: string, text: string, { sync = false }: { sync?: boolean } = {}): void {
  const directory = dirname(path)
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const temporary = `${path}.${process.pid}.tmp`
  const file = openSync(temporary, 'w', 0o600)
  try {
    writeFileSync(file, text)
    if (sync) fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(temporary, path)
  if (sync) syncDirectory(directory)
}

/** The rename itself is on the disk only when its directory is. */
function syncDirectory(path: string): void {
  const directory = openSync(path, 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}
