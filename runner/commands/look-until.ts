import { setTimeout as sleep } from 'node:timers/promises'
import { CommandError } from '../command-line/error.ts'
import type { ControlPlane, ControlPlaneFlags } from '../control-plane.ts'
import { withControlPlane } from './ask.ts'

export type Looking = {
  everyMs: number
  /** Epoch milliseconds after which nobody looks any more. */
  untilMs: number
  /** Ends it at once. */
  signal?: AbortSignal
}

/** A server that is restarted, or a database that changes hands, is waited for this many looks. */
const PATIENCE = 15

/**
 * Looks again and again until `look` gives something, or until the time is up or the signal comes: then undefined. The control plane is opened for each
 * look, since whoever serves the database may come and go meanwhile. Throws what the first look throws, and what stays later.
 */
export async function lookUntil<T>(
  flags: ControlPlaneFlags,
  { everyMs, untilMs, signal }: Looking,
  look: (controlPlane: ControlPlane) => Promise<T | undefined>,
): Promise<T | undefined> {
  let failures = PATIENCE
  for (;;) {
    try {
      const found = await withControlPlane(flags, look)
      if (found !== undefined) return found
      failures = 0
    } catch (error) {
      if (!(error instanceof CommandError) || ++failures > PATIENCE) throw error
    }
    const leftMs = untilMs - Date.now()
    if (leftMs <= 0 || signal?.aborted) return undefined
    await sleep(Math.min(everyMs, leftMs), undefined, { signal }).catch(() => {})
  }
}
