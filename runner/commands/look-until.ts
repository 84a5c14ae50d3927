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
/** Of the first look fewer: what is wrong then is mostly wrong for good. But a run may just be ending, its database in nobody's hands. */
const FIRST_PATIENCE = 8
const FIRST_PAUSE_MS = 200

/**
 * Looks again and again until `look` gives something, or until the time is up or the signal comes: then undefined. The control plane is opened for each
 * look, since whoever serves the database may come and go meanwhile. Throws what stays wrong, and a wrong command at once.
 */
export async function lookUntil<T>(
  flags: ControlPlaneFlags,
  { everyMs, untilMs, signal }: Looking,
  look: (controlPlane: ControlPlane) => Promise<T | undefined>,
): Promise<T | undefined> {
  let failures = PATIENCE - FIRST_PATIENCE
  let hasSeen = false
  let trouble: unknown
  for (;;) {
    try {
      const found = await withControlPlane(flags, look)
      if (found !== undefined) return found
      failures = 0
      hasSeen = true
    } catch (error) {
      const mayPass = error instanceof CommandError && (hasSeen || error.exitCode === 3)
      if (!mayPass || ++failures > PATIENCE) throw error
      trouble = error
    }
    const leftMs = untilMs - Date.now()
    if (leftMs <= 0 || signal?.aborted) {
      if (!hasSeen) throw trouble
      return undefined
    }
    await sleep(Math.min(hasSeen ? everyMs : FIRST_PAUSE_MS, leftMs), undefined, { signal }).catch(() => {})
  }
}
