import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { usageError } from '../command-line/error.ts'
import { configPlaces } from '../config/files.ts'
import { whyUnreadable } from '../text-file.ts'
import { readProfile } from './profile-file.ts'
import type { Profile } from './types.ts'

/** Where profiles lie beside the configuration, one JSON file each: the user's, then those that a site has for everybody. */
export function profileDirectories(env: NodeJS.ProcessEnv): string[] {
  const { user, system } = configPlaces(env, '/')
  return [user, system].map(path => join(dirname(path), 'hpc'))
}

/** Reads the profiles of a directory, by name; there may be none. Throws a usage error that names a file that cannot be used. */
export function readUserProfiles(directory: string): Profile[] {
  return namesIn(directory)
    .filter(name => name.endsWith('.json'))
    .sort()
    .map(name => readFile(join(directory, name)))
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT' || code === 'ENOTDIR') return []
    throw usageError(`Cannot read the cluster profiles in ${directory}: ${whyUnreadable(error)}`)
  }
}

function readFile(path: string): Profile {
  const read = readProfile(readDocument(path), 'user')
  if ('fault' in read) throw usageError(`Cannot use the cluster profile ${path} as it is not right at ${read.fault}`)
  return read.profile
}

function readDocument(path: string): unknown {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw usageError(`Cannot read the cluster profile ${path}: ${whyUnreadable(error)}`)
  }
  try {
    return JSON.parse(text)
  } catch (error) {
    throw usageError(`Cannot use the cluster profile ${path} as it is not JSON: ${(error as Error).message}`)
  }
}
