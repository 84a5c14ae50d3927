import { doneCount } from './counts.ts'
import { renderProgressLine, stateLine } from './progress-lines.ts'
import { createRateMeter } from './rate.ts'
import { clean } from './text.ts'
import type { Progress, ProgressSnapshot } from './types.ts'

/** A log is read later: a line this often tells enough. */
const LINE_MS = 5_000
/** Quarters are worth a line of their own, so that a short run shows that it moved. */
const MILESTONES = 4

/** Shows a run as plain lines for pipes and logs: at milestones, when its state changes, else one every few seconds. */
export function createPlainDisplay({ write, clock }: { write(text: string): void; clock(): number }): Progress {
  const rate = createRateMeter()
  let last: { line: string; atMs: number; milestone: number; state: string | undefined } | undefined
  let snapshot: ProgressSnapshot | undefined
  let ended = false

  function show(current: ProgressSnapshot): void {
    const line = renderProgressLine(current, rate.perSecond())
    if (line !== last?.line) write(`${line}\n`)
    last = { line, atMs: clock(), milestone: milestoneOf(current), state: stateLine(current) }
  }

  function isDue(current: ProgressSnapshot): boolean {
    if (last === undefined || milestoneOf(current) > last.milestone) return true
    if ((last.state === undefined) !== (stateLine(current) === undefined)) return true
    return clock() - last.atMs >= LINE_MS
  }

  return {
    update(next) {
      if (ended || next.total === 0) return
      snapshot = next
      rate.record(clock(), next.finishedHere)
      if (isDue(next)) show(next)
    },
    note(line) {
      if (!ended) write(`${clean(line)}\n`)
    },
    end() {
      if (!ended && snapshot !== undefined) show(snapshot)
      ended = true
    },
  }
}

const milestoneOf = ({ counts, total }: ProgressSnapshot): number =>
  Math.floor((doneCount(counts) / total) * MILESTONES)
