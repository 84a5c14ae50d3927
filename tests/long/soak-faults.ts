import { setTimeout as sleep } from 'node:timers/promises'
import type { SmallDisk } from './soak-disk.ts'
import type { Ledger } from './soak-ledger.ts'
import type { Link } from './soak-network.ts'

/** Something that happens to a system and is over when it returns: at once when it is told to stop. False: nobody has noticed. */
export type Fault = (stop: AbortSignal) => Promise<boolean>
export type Faults = Readonly<Record<string, Fault>>

const BETWEEN_MS = [3_000, 6_000] as const
/** Some shorter and some longer than a request waits for the database, all shorter than the runners wait for an answer. */
const CUT_MS = [5_000, 14_000] as const
const FROZEN_MS = 5_000
/** A disk stays full for so long after somebody has noticed. */
const FULL_MS = 5_000
const LOOK_MS = 200

const between = ([least, most]: readonly [number, number]): number => least + Math.random() * (most - least)

/** Sleeps, at most until it is told to stop. */
const pause = (ms: number, stop: AbortSignal): Promise<void> => sleep(ms, undefined, { signal: stop }).catch(() => {})

/** Brings one kind after the other upon the system, over and over until it is told to stop; returns how often each was noticed. */
export async function faultAgainAndAgain(faults: Faults, stop: AbortSignal): Promise<Record<string, number>> {
  const counts = Object.fromEntries(Object.keys(faults).map(kind => [kind, 0]))
  while (true) {
    for (const [kind, happen] of Object.entries(faults)) {
      await pause(between(BETWEEN_MS), stop)
      if (stop.aborted) return counts
      if (await happen(stop)) counts[kind]!++
    }
  }
}

type Program = { kill(): Promise<void>; freeze(ms: number): Promise<void> }

export const killed =
  (program: Program): Fault =>
  async () => {
    await program.kill()
    return true
  }

export const frozen =
  (program: Program): Fault =>
  async () => {
    await program.freeze(FROZEN_MS)
    return true
  }

export const cutOff =
  (link: Link): Fault =>
  async stop => {
    link.cut()
    await pause(between(CUT_MS), stop)
    link.mend()
    return true
  }

/** Fills a disk until a runner has heard of it, which takes as long as a log has room inside its file, and some seconds more. */
export const filledUp =
  (disk: SmallDisk, ledger: Ledger): Fault =>
  async stop => {
    const before = ledger.refused.full
    const isNoticed = () => ledger.refused.full > before
    while (!isNoticed() && !stop.aborted) {
      disk.fill()
      await pause(LOOK_MS, stop)
    }
    await pause(FULL_MS, stop)
    disk.clear()
    return isNoticed()
  }
