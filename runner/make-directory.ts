import { mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { type CommandError, cannotRun } from './command-line/error.ts'
import { whyUnwritable } from './text-file.ts'

/**
 * Makes a directory that only its owner may enter, with those above it; one that exists stays as it is. Throws an error with exit
 * code 3 that names the directory and what is in the way.
 */
export function makeDirectory(path: string): void {
  try {
    makeWithParents(path)
  } catch (error) {
    throw cannotWrite(path, error)
  }
}

const cannotWrite = (path: string, error: unknown): CommandError =>
  cannotRun(`Cannot write in ${path}: ${reasonOf(error)}. Name another directory with --output-dir`)

/** What a disk says when it takes no more, or nothing from us; with the calls that say it, since a socket may say the same. */
const DISK_CODES: ReadonlySet<string> = new Set([
  'EACCES',
  'EPERM',
  'EROFS',
  'ENOSPC',
  'EDQUOT',
  'EEXIST',
  'ENOTDIR',
  'EIO',
])
const FILE_CALLS: ReadonlySet<string> = new Set(['open', 'mkdir', 'write', 'rename', 'ftruncate', 'fdatasync', 'fsync'])

/** An error of the output directory as one line with exit code 3; any other as it is. */
export function asOutputError(error: unknown, outputDir: string): unknown {
  const { code = '', syscall = '', path = outputDir } = error instanceof Error ? (error as NodeJS.ErrnoException) : {}
  return DISK_CODES.has(code) && FILE_CALLS.has(syscall) ? cannotWrite(path, error) : error
}

/** Makes a directory and what is missing above it; throws the system's error. Not mkdir's own `recursive`: in Node 20 that never returns where the system says ENOENT though the parent is there, as /proc does. */
export function makeWithParents(path: string): void {
  const first = makeOne(path)
  if (first === undefined) return
  if (first.code !== 'ENOENT' || dirname(path) === path) throw first
  makeWithParents(dirname(path))
  const second = makeOne(path)
  if (second !== undefined) throw second
}

/** The error that stands, if any. */
function makeOne(path: string): NodeJS.ErrnoException | undefined {
  try {
    // Asking first is wrong by a race, and mkdir alone does not tell a directory from a file.
    mkdirSync(path, { mode: 0o700 })
    return undefined
  } catch (error) {
    const known = error as NodeJS.ErrnoException
    return known.code === 'EEXIST' && isDirectory(path) ? undefined : known
  }
}

const isDirectory = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false

function reasonOf(error: unknown): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'EEXIST':
      return 'a file is in the way'
    case 'ENOENT':
      return 'no directory can be made there'
    default:
      return whyUnwritable(error)
  }
}
