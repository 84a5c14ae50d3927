import { relative } from 'node:path'

/** A path as people would type it: relative to the working directory as long as that does not climb. */
export function nearPath(path: string, cwd: string): string {
  const near = relative(cwd, path)
  return near === '' || near.startsWith('..') ? path : near
}
