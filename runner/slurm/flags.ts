import { parseMemory } from '../../api/core/memory.ts'
import { parseWalltime } from '../../api/core/spec/slurm-text.ts'
import { usageError } from '../command-line/error.ts'
import { durationFlag } from '../command-line/flags.ts'

/** A walltime in seconds: as Slurm writes it (`04:00:00`, `2-12`), or like other durations (`4h`, `PT4H`). */
export function walltimeFlag(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const seconds = text.includes(':') || text.includes('-') ? parseWalltime(text) : durationFlag(name, text)
  if (seconds !== undefined && Number.isFinite(seconds) && seconds > 0) return seconds
  throw usageError(`Cannot read ${name} as it must be a walltime like 04:00:00 or 4h: current value is ${text}`)
}

/** A size in bytes, as `16g`. */
export function memoryFlag(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const bytes = parseMemory(text)
  if (bytes !== undefined && bytes > 0) return bytes
  throw usageError(`Cannot read ${name} as it must be a size like 16g: current value is ${text || '(empty)'}`)
}
