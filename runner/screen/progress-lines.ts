import type { Paint } from './color.ts'
import { countParts, doneCount, sumOf } from './counts.ts'
import { counted, formatClock, formatCount, formatRate, formatSeconds } from './format.ts'
import { clean, cutTo, padEnd, padStart, widthOf, wrap } from './text.ts'
import type { ProgressSnapshot } from './types.ts'

export type ScreenSize = { columns: number; rows: number }

/** The bar never gets longer: it is a picture, not a measure. */
const WIDEST_BAR = 40
const BLOCK = '█'
const REST = '░'

/**
 * Lays out the live display: head, bar, counts, then as many of the longest-running jobs as there is room for. Never more lines than
 * the screen less one (the cursor's) and never a line that reaches the last column, where terminals wrap.
 */
export function renderProgress(
  snapshot: ProgressSnapshot,
  view: { nowMs: number; perSecond: number | undefined; size: ScreenSize; paint: Paint },
): string[] {
  const { nowMs, perSecond, size, paint } = view
  const width = Math.max(1, size.columns - 1)
  const most = Math.max(1, size.rows - 1)
  const state = stateLine(snapshot)
  const head = [
    headLine(snapshot, nowMs, perSecond, width, paint),
    barLine(snapshot, perSecond, width, paint),
    ...countLines(snapshot, width, paint),
    ...(state === undefined ? [] : wrap(state, width).map(line => paint.strong(cutTo(line, width)))),
  ]
  return [...head, ...runningLines(snapshot, nowMs, width, most - head.length, paint)].slice(0, most)
}

function headLine(
  snapshot: ProgressSnapshot,
  nowMs: number,
  perSecond: number | undefined,
  width: number,
  paint: Paint,
): string {
  const left = timeLeft(snapshot, perSecond)
  const time = formatClock(nowMs - snapshot.startedAtMs) + (left === undefined ? '' : `, about ${left} left`)
  const room = width - widthOf(time) - 2
  if (room < 8) return cutTo(time, width)
  const name = cutTo(`${clean(snapshot.name)} (workflow ${snapshot.workflowId})`, room)
  return `${paint.strong(padEnd(name, room))}  ${time}`
}

function barLine(snapshot: ProgressSnapshot, perSecond: number | undefined, width: number, paint: Paint): string {
  const done = doneCount(snapshot.counts)
  const share = done / snapshot.total
  const rate = perSecond === undefined ? '' : `, ${formatRate(perSecond)}`
  const label = `${Math.floor(share * 100)}% ${formatCount(done)} of ${formatCount(snapshot.total)}${rate}`
  const room = Math.min(WIDEST_BAR, width - widthOf(label) - 1)
  if (room < 4) return cutTo(label, width)
  const filled = Math.floor(share * room)
  return `${paint.good(BLOCK.repeat(filled))}${paint.dim(REST.repeat(room - filled))} ${label}`
}

/** Puts the counts side by side, on as many lines as they need. */
function countLines(snapshot: ProgressSnapshot, width: number, paint: Paint): string[] {
  const parts = countParts(snapshot.counts, paint)
  const lines: { width: number; painted: string }[] = []
  for (const { text, painted } of parts) {
    const last = lines.at(-1)
    if (last !== undefined && last.width + 2 + text.length <= width) {
      last.width += 2 + text.length
      last.painted += `  ${painted}`
    } else lines.push({ width: text.length, painted: text.length <= width ? painted : cutTo(text, width) })
  }
  return lines.map(line => line.painted)
}

/** What is going on besides the usual. */
export function stateLine(snapshot: ProgressSnapshot): string | undefined {
  if (snapshot.draining)
    return `Ctrl-C: finishing ${counted(snapshot.running.length, 'running job')}, again to stop now`
  return snapshot.offline === undefined ? undefined : `Control plane away: ${clean(snapshot.offline)}`
}

function runningLines(snapshot: ProgressSnapshot, nowMs: number, width: number, room: number, paint: Paint): string[] {
  const { running } = snapshot
  if (running.length === 0 || room < 2) return []
  const longest = running.toSorted((a, b) => a.startedAtMs - b.startedAtMs).slice(0, room - 1)
  const clocks = longest.map(job => formatClock(nowMs - job.startedAtMs))
  const widest = Math.max(...clocks.map(clock => clock.length))
  const title =
    longest.length < running.length ? `Longest running (${longest.length} of ${running.length}):` : 'Running:'
  return [
    paint.dim(cutTo(title, width)),
    ...longest.map((job, index) => cutTo(`  ${padStart(clocks[index]!, widest)}  ${clean(job.name)}`, width)),
  ]
}

/** The time left at the present rate; undefined when nobody can tell. */
export function timeLeft(snapshot: ProgressSnapshot, perSecond: number | undefined): string | undefined {
  const left = snapshot.total - doneCount(snapshot.counts) - snapshot.counts.disabled
  if (perSecond === undefined || left <= 0) return undefined
  const seconds = Math.ceil(left / perSecond)
  return seconds < 60 ? `${seconds} s` : formatSeconds(seconds)
}

/** The same facts in one line, for logs and pipes. */
export function renderProgressLine(snapshot: ProgressSnapshot, perSecond: number | undefined): string {
  const done = doneCount(snapshot.counts)
  const share = Math.floor((done / snapshot.total) * 100)
  const bad = sumOf(snapshot.counts, status => status === 'failed' || status === 'terminated' || status === 'canceled')
  const left = timeLeft(snapshot, perSecond)
  const parts = [
    `${formatCount(done)} of ${counted(snapshot.total, 'job')} done (${share}%)`,
    ...(bad > 0 ? [`${formatCount(bad)} without success`] : []),
    `${formatCount(snapshot.running.length)} running here`,
    ...(perSecond === undefined ? [] : [formatRate(perSecond)]),
    ...(left === undefined ? [] : [`about ${left} left`]),
  ]
  const state = stateLine(snapshot)
  return parts.join(', ') + (state === undefined ? '' : `; ${state}`)
}
