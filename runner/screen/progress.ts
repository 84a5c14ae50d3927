import { createPaint, wantsColor } from './color.ts'
import { createLiveDisplay } from './live-display.ts'
import { createPlainDisplay } from './plain-display.ts'
import type { Progress } from './types.ts'

/** What a terminal has when it does not say. */
const USUAL_SIZE = { columns: 80, rows: 24 }

type Stream = { write(text: string): unknown; isTTY?: boolean; columns?: number; rows?: number }

/** Makes the display that suits a stream: live on a terminal, lines elsewhere. */
export function createProgress(stream: Stream, env: NodeJS.ProcessEnv, clock: () => number): Progress {
  const write = (text: string) => void stream.write(text)
  const isTerminal = stream.isTTY === true
  if (!isTerminal || env.TERM === 'dumb') return createPlainDisplay({ write, clock })
  const size = () => ({
    columns: stream.columns || USUAL_SIZE.columns,
    rows: stream.rows || USUAL_SIZE.rows,
  })
  return createLiveDisplay({ write, size, clock, paint: createPaint(wantsColor(isTerminal, env)) })
}
