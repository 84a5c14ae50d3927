import { setTimeout as sleep } from 'node:timers/promises'
import { must } from '../client/must.ts'
import type { ServerAddress } from '../client/server-address.ts'
import type { Client } from '../client.ts'
import { usageError } from '../command-line/error.ts'
import { durationFlag } from '../command-line/flags.ts'
import type { Format } from '../command-line/options.ts'
import { printJson } from '../command-line/output.ts'
import { findScheduler } from '../schedulers/find.ts'
import { cancelElements } from './cancel.ts'
import type { ReachableControlPlane } from './control-plane.ts'
import { follow } from './follow.ts'
import { renderLeft, renderProgress } from './render.ts'
import type { PipeRun } from './wire.ts'

/** The options of commands that look after runs. */
export const FOLLOWING = {
  detach: { type: 'boolean', description: 'submit and leave; `pipe reconcile` or `watch` looks after the run' },
  'poll-interval': {
    type: 'string',
    valueHint: 'TIME',
    description: 'time between looks at the scheduler (default: 30s, 1s with local)',
  },
} as const

export type FollowingOptions = { detach: boolean; everyMs: number }

export function parseFollowing(
  flags: { detach?: boolean; 'poll-interval'?: string },
  scheduler: string,
): FollowingOptions {
  const usual = scheduler === 'local' ? '1s' : '30s'
  const text = flags['poll-interval'] ?? usual
  const everySeconds = durationFlag('--poll-interval', /^\d+$/.test(text) ? `${text}s` : text)!
  if (everySeconds > 3600) throw usageError('Cannot look that seldom as --poll-interval must be at most 1h')
  return { detach: flags.detach ?? false, everyMs: everySeconds * 1000 }
}

const say = (line: string): void => void process.stderr.write(`${line}\n`)

/** Looks after runs to their end, or submits and leaves. Prints how they stand then; the exit code says whether all jobs completed. */
export async function followRuns(
  runs: readonly PipeRun[],
  { client, address, isOwn, workflowId }: ReachableControlPlane & { workflowId: number },
  { detach, everyMs, format }: FollowingOptions & { format: Format },
  stageNext?: () => Promise<PipeRun | undefined>,
): Promise<0 | 1> {
  const context = { client, proof: address, note: say }
  const ids = runs.map(run => run.id)
  const interrupted = new AbortController()
  const onSignal = (): void => interrupted.abort()
  process.once('SIGINT', onSignal)
  process.once('SIGTERM', onSignal)
  // One look is all there is to a detached run.
  if (detach) interrupted.abort()
  try {
    const followed = await follow(ids, { context, workflowId, everyMs, signal: interrupted.signal, stageNext })
    if (isOwn) await untilRunnersLeft(client, ids)
    if (followed.kind === 'left') say('The arrays go on: `runner pipe reconcile` looks after them')
    if (format === 'json') printJson({ items: followed.runs, count: followed.runs.length })
    else for (const run of followed.runs) process.stdout.write(`${renderProgress(run)}\n`)
    for (const run of followed.runs) for (const line of renderLeft(run)) say(line)
    const isFine = followed.kind === 'left' || followed.runs.every(run => run.state === 'completed')
    return isFine ? 0 : 1
  } finally {
    process.off('SIGINT', onSignal)
    process.off('SIGTERM', onSignal)
  }
}

/** Runners look for work less and less often, but at least this often. */
const LEAVING_MS = 30_000

/** Waits until no element of the runs is left to miss the control plane that ends with this command; then cancels those that are. */
async function untilRunnersLeft(client: Client, ids: readonly number[]): Promise<void> {
  const endAt = Date.now() + LEAVING_MS
  for (const id of ids) {
    for (;;) {
      const run = await must(client.request<PipeRun>('GET', `/pipe_runs/${id}`))
      if (run.live_runners === 0) break
      if (Date.now() > endAt) {
        await cancelElements(findScheduler(run.scheduler), run)
        break
      }
      await sleep(LOOK_MS)
    }
  }
}

const LOOK_MS = 250

/** A loopback address is of no use to a compute node, but on a cluster of one machine. */
export function warnOfLoopback({ baseUrl }: ServerAddress): void {
  const { hostname } = new URL(baseUrl)
  if (!/^(localhost|127\.|\[::1\])/.test(hostname)) return
  say(
    `Elements are told to reach the control plane at ${baseUrl}, which only this machine can: give --url where compute nodes know it by another name`,
  )
}
