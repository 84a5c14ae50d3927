import { appendFileSync, renameSync, rmSync, statSync } from 'node:fs'
import type { Progress } from './screen/types.ts'

export const LOG_LEVELS = ['debug', 'info', 'warning', 'error'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** What a runner did, for whoever looks for a cause later. */
export type LogFile = { log(level: LogLevel, text: string): void }

/** A larger file becomes `.1`, that one `.2`, and so on. */
const LARGEST_BYTES = 10 * 2 ** 20
const OLD_FILES = 3

/** Opens a log that is appended to. A line that cannot be written is lost: a full disk must not end a run. */
export function openLogFile(path: string, least: LogLevel, clock: () => number): LogFile {
  let bytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  const fromLevel = LOG_LEVELS.indexOf(least)

  function rotate(): void {
    rmSync(`${path}.${OLD_FILES}`, { force: true })
    for (let age = OLD_FILES - 1; age >= 0; age--) {
      const from = age === 0 ? path : `${path}.${age}`
      if (statSync(from, { throwIfNoEntry: false }) !== undefined) renameSync(from, `${path}.${age + 1}`)
    }
    bytes = 0
  }

  return {
    log(level, text) {
      if (LOG_LEVELS.indexOf(level) < fromLevel) return
      const line = `${new Date(clock()).toISOString()} ${level.toUpperCase().padEnd(7)} ${text.replaceAll('\n', ' | ')}\n`
      try {
        if (bytes + line.length > LARGEST_BYTES) rotate()
        appendFileSync(path, line, { mode: 0o600 })
        bytes += line.length
      } catch {
        // Said nowhere: standard error belongs to the display.
      }
    },
  }
}

/** What is said to whoever watches stands in the log as well. */
export const withLog = (progress: Progress, log: LogFile): Progress => ({
  update: state => progress.update(state),
  note(line) {
    log.log('warning', line)
    progress.note(line)
  },
  end: () => progress.end(),
})
