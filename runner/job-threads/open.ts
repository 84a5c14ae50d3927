import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { cannotRun } from '../command-line/error.ts'
import { distDirectory } from '../launcher/places.ts'
import type { Execute, FinaliseTask } from './finalisers.ts'
import { createPool, type Pool } from './pool.ts'

/** Built by scripts/build.mjs beside the runner's own bundle. */
const PROGRAM = join(distDirectory, 'job-thread.mjs')
/** Each takes some 10 MB; more would hash nothing faster on any node there is. */
const MOST_THREADS = 64

/** Opens threads that make completions side by side. Throws, with exit code 3, when the package lacks their program. */
export function openJobThreads(threads: number, onMainPath: Execute, program = PROGRAM): Pool<FinaliseTask> {
  if (!existsSync(program))
    throw cannotRun(`Cannot use --job-threads as the package is not whole: ${program} is missing; install it again`)
  return createPool({ threads: Math.min(threads, MOST_THREADS), program, here: onMainPath })
}

/** What to say when the threads alone are more than the node has cores; undefined = nothing. */
export function threadsBeyondNode(threads: number, cores: number): string | undefined {
  if (threads <= cores) return undefined
  return `--job-threads ${threads} is more than the ${cores} cores of this node: they take time from the jobs`
}
