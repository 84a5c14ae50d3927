import { closeSync, ftruncateSync, openSync } from 'node:fs'

/** Makes a file of zeros that takes no room on the disk, so that reading it costs no more than copying memory. */
export function makeEmptyFile(path: string, bytes: number): void {
  const file = openSync(path, 'w')
  ftruncateSync(file, bytes)
  closeSync(file)
}
