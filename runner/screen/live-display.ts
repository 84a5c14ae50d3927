import { stripVTControlCharacters } from 'node:util'
import type { Paint } from './color.ts'
import { renderProgress, type ScreenSize } from './progress-lines.ts'
import { createRateMeter } from './rate.ts'
import { clean, widthOf } from './text.ts'
import type { Progress, ProgressSnapshot } from './types.ts'

/** Twice a second: quick enough to look alive, too slow to flicker or cost anything. */
const REDRAW_MS = 500

export type LiveDisplayOptions = {
  write(text: string): void
  /** Asked at every draw, since windows change. */
  size(): ScreenSize
  clock(): number
  paint: Paint
}

/** Shows a run in place on a terminal: draws its lines, goes back up, draws again. */
export function createLiveDisplay({ write, size, clock, paint }: LiveDisplayOptions): Progress {
  const rate = createRateMeter()
  let snapshot: ProgressSnapshot | undefined
  let drawn: string[] = []
  let timer: NodeJS.Timeout | undefined
  let ended = false

  function draw(above = ''): void {
    const lines =
      snapshot === undefined
        ? []
        : renderProgress(snapshot, { nowMs: clock(), perSecond: rate.perSecond(), size: size(), paint })
    write(eraser(drawn, size().columns) + above + lines.map(line => `${line}\n`).join(''))
    drawn = lines
  }

  return {
    update(next) {
      if (ended || next.total === 0) return
      snapshot = next
      rate.record(clock(), next.finishedHere)
      if (timer !== undefined) return
      draw()
      // It never holds up the end of the process.
      timer = setInterval(draw, REDRAW_MS).unref()
    },
    note(line) {
      if (!ended) draw(`${clean(line)}\n`)
    },
    end() {
      if (ended) return
      ended = true
      clearInterval(timer)
      write(eraser(drawn, size().columns))
    },
  }
}

/** Goes up over what was drawn and clears it. A window made narrower since has broken its lines into several. */
function eraser(lines: readonly string[], columns: number): string {
  const rows = lines.reduce((sum, line) => {
    const width = widthOf(stripVTControlCharacters(line))
    return sum + Math.max(1, Math.ceil(width / Math.max(1, columns)))
  }, 0)
  return rows === 0 ? '' : `\u001b[${rows}A\r\u001b[J`
}
