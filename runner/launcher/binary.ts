import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { distDirectory, sourceDirectory } from './places.ts'

/** What is built, and from where: the directory has a build.sh, which is given where to put it. */
export type NativeProgram = { name: string; sources: string }

export const LAUNCHER: NativeProgram = { name: 'headrace-launcher', sources: sourceDirectory }
/** Ten times what the compiler takes; a lock older than this was left by a build that was killed. */
const BUILD_PATIENCE_MS = 30_000
const LOCK_LOOK_MS = 50

/** Named by the sources and the kind of machine, since a home directory is often shared by machines of several kinds. */
function cacheDirectory(sources: string): string {
  const hash = createHash('sha256')
  for (const name of readdirSync(sources).sort()) hash.update(name).update(readFileSync(join(sources, name)))
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache')
  return join(cache, 'headrace', `${hash.digest('hex').slice(0, 16)}-${process.platform}-${process.arch}`)
}

/** Holds a directory as lock: made by one process at a time, on network file systems too. */
async function withLock<T>(path: string, act: () => Promise<T>): Promise<T> {
  for (let taken = false; !taken; ) {
    try {
      mkdirSync(path)
      taken = true
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      if (Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now()) > BUILD_PATIENCE_MS)
        release(path)
      else await sleep(LOCK_LOOK_MS)
    }
  }
  try {
    return await act()
  } finally {
    release(path)
  }
}

function release(path: string): void {
  try {
    rmdirSync(path)
  } catch {
    // Somebody who took it for abandoned has removed it.
  }
}

/** Builds into the cache unless it is there; the build itself says nothing when there is no compiler, and leaves nothing. */
async function buildInCache({ name, sources }: NativeProgram): Promise<string | undefined> {
  const directory = cacheDirectory(sources)
  const binary = join(directory, name)
  if (existsSync(binary)) return binary
  mkdirSync(directory, { recursive: true })
  await withLock(join(directory, 'lock'), async () => {
    if (existsSync(binary)) return
    await promisify(execFile)('sh', [join(sources, 'build.sh'), directory], { timeout: BUILD_PATIENCE_MS })
  })
  return existsSync(binary) ? binary : undefined
}

/**
 * The path of a native program, the launcher unless told otherwise: built with the package, else built once into the user's cache.
 * undefined where there is neither a compiler nor a build, or the sources are not at hand; a build that fails says why on the error stream.
 */
export async function findBinary(program = LAUNCHER): Promise<string | undefined> {
  const built = join(distDirectory, program.name)
  if (existsSync(built)) return built
  if (process.platform !== 'linux' || !existsSync(program.sources) || process.env.HEADRACE_CC === 'none')
    return undefined
  try {
    return await buildInCache(program)
  } catch (error) {
    process.stderr.write(`headrace: Cannot build ${program.name}: ${(error as Error).message.trim()}\n`)
    return undefined
  }
}
