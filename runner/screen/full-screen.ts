import type { ReadStream, WriteStream } from 'node:tty'
import type { ScreenSize } from './progress-lines.ts'

export type FullScreen = {
  size(): ScreenSize
  show(lines: readonly string[]): void
  /** Gives the terminal back as it was. */
  close(): void
}

const ENTER = '\u001b[?1049h\u001b[?25l'
const LEAVE = '\u001b[?25h\u001b[?1049l'
const HOME = '\u001b[H'
const TO_LINE_END = '\u001b[K'
const TO_SCREEN_END = '\u001b[J'
const CTRL_C = '\u0003'

/** Takes the whole terminal; `onQuit` is called when the user or a signal asks for the end. Close it. */
export function openFullScreen(out: WriteStream, keys: ReadStream, onQuit: () => void): FullScreen {
  const onKey = (data: Buffer) => {
    const key = data.toString()
    if (key === 'q' || key === CTRL_C) onQuit()
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  out.write(ENTER)
  if (keys.isTTY) keys.setRawMode(true)
  keys.on('data', onKey)
  for (const signal of signals) process.on(signal, onQuit)

  return {
    size: () => ({ columns: out.columns || 80, rows: out.rows || 24 }),
    show: lines => void out.write(HOME + lines.map(line => `${line}${TO_LINE_END}\n`).join('') + TO_SCREEN_END),
    close() {
      out.write(LEAVE)
      keys.off('data', onKey)
      if (keys.isTTY) keys.setRawMode(false)
      keys.pause()
      for (const signal of signals) process.off(signal, onQuit)
    },
  }
}
