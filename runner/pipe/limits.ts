import { usageError } from '../command-line/error.ts'
import type { Scheduler } from '../schedulers/types.ts'
import type { PipeOptions } from './options.ts'

/**
 * Takes the site's own limits into account: no array is wider than it takes, unless the user says how wide that is. Throws a usage error for
 * a wall time that is over the queue's, which schedulers accept and never start.
 */
export async function withinLimits(options: PipeOptions, scheduler: Scheduler): Promise<PipeOptions> {
  const { arrayMost, walltimeSeconds = {} } = await scheduler.limits()
  const { queue } = options
  const longest = queue === undefined ? undefined : walltimeSeconds[queue]
  if (longest !== undefined && options.walltimeSeconds > longest) {
    throw usageError(
      `Cannot submit to queue ${queue} as its wall time is at most ${longest} s: --walltime is ${options.walltimeSeconds} s`,
    )
  }
  return { ...options, arrayMost: options.arrayMost ?? Math.max(1, arrayMost) }
}
