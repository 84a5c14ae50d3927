import type { Inside, TimeLeft } from './types.ts'

const MINUTE_MS = 60_000

/** When the allocation ends by what our script knows; undefined when it knows nothing. */
export function ownEnd({ walltimeSeconds, startedAtMs }: Inside): number | undefined {
  if (walltimeSeconds === undefined || startedAtMs === undefined) return undefined
  return startedAtMs + walltimeSeconds * 1000
}

/**
 * How long before its end an allocation is left: a minute and a tenth of its whole time, at most ten minutes, and never more than half,
 * so that a short one does some work. Schedulers are seconds early or late, and what is told late is lost.
 */
export const marginMs = (wholeMs: number): number =>
  Math.max(0, Math.min(MINUTE_MS + wholeMs / 10, 10 * MINUTE_MS, wholeMs / 2))

/** The moment at which a runner has to be done, by the time that is left at `nowMs`; undefined: never. */
export function lastMoment(
  inside: Inside,
  left: TimeLeft | undefined,
  nowMs: number,
): { endAtMs: number | undefined; trouble?: string } {
  const own = ownEnd(inside)
  const told = left?.kind === 'known' && left.seconds !== undefined ? nowMs + left.seconds * 1000 : undefined
  const ends = [own, told].filter(end => end !== undefined)
  if (ends.length === 0) return { endAtMs: undefined, trouble: left?.kind === 'unknown' ? left.message : undefined }
  const endAtMs = Math.min(...ends)
  const wholeMs = inside.walltimeSeconds === undefined ? endAtMs - nowMs : inside.walltimeSeconds * 1000
  return { endAtMs: endAtMs - marginMs(wholeMs) }
}
