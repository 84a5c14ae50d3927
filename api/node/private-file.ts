import { closeSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'

/** Makes a folder only its owner can enter, with those above it; one that exists stays as it is. */
export function makePrivateFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 })
}

/** Makes sure that a file exists, readable by its owner alone from its first moment. An existing one stays as it is. */
export function touchPrivateFile(path: string): void {
  closeSync(openSync(path, 'a', 0o600))
}

/** Writes a file whole: nobody reads half of it, and nobody but its owner reads it at all. */
export function writePrivateFile(path: string, text: string): void {
  makePrivateFolder(dirname(path))
  const temporary = `${path}.${process.pid}.tmp`
  rmSync(temporary, { force: true })
  const file = openSync(temporary, 'wx', 0o600)
  try {
    writeSync(file, text)
  } finally {
    closeSync(file)
  }
  renameSync(temporary, path)
}
