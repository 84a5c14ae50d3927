/** Reads the values of options. Each throws a usage error that names the option and the value. */
import { parseDuration } from '../../api/core/duration.ts'
import { LEASE_RANGE_SECONDS } from '../../api/core/leases.ts'
import { parseMemory } from '../../api/core/memory.ts'
import { usageError } from './error.ts'

/** A whole number of at least `least`, and of at most `most` where that is given; undefined when the option is not given. */
export function countFlag(name: string, text: string | undefined, least: number, most?: number): number | undefined {
  if (text === undefined) return undefined
  const count = Number(text)
  if (/^[+-]?\d+$/.test(text) && count >= least && count <= (most ?? Number.MAX_SAFE_INTEGER)) return count
  const range = most === undefined ? `>= ${least}` : `from ${least} to ${most}`
  throw usageError(`Cannot read ${name} as it must be a whole number ${range}: current value is ${shown(text)}`)
}

/** A number above 0, as `16` or `1.5`. */
export function amountFlag(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const amount = Number(text)
  if (/^\+?(\d+\.?\d*|\.\d+)$/.test(text) && Number.isFinite(amount) && amount > 0) return amount
  throw usageError(`Cannot read ${name} as it must be a number > 0: current value is ${shown(text)}`)
}

const SHORT_DURATION = /^(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/i

/** A duration in seconds, as `1h30m` or in the ISO form `PT1H30M`. */
export function durationFlag(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const seconds = parseDuration(text) ?? shortDuration(text)
  if (seconds !== undefined && seconds > 0) return seconds
  throw usageError(
    `Cannot read ${name} as it must be a duration like 1h30m or PT1H30M: current value is ${shown(text)}`,
  )
}

function shortDuration(text: string): number | undefined {
  const parts = SHORT_DURATION.exec(text)
  if (text === '' || parts === null) return undefined
  const [days, hours, minutes, seconds] = parts.slice(1).map(part => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
  ]
  return ((days * 24 + hours) * 60 + minutes) * 60 + seconds
}

/** `--lease`, in whole seconds. */
export function leaseFlag(text: string | undefined): number | undefined {
  const seconds = durationFlag('--lease', text)
  if (seconds === undefined) return undefined
  const { least, most } = LEASE_RANGE_SECONDS
  if (seconds >= least && seconds <= most) return Math.round(seconds)
  throw usageError(`Cannot read --lease as it must be from ${least}s to ${most / 3600}h: current value is ${text}`)
}

/** A size in bytes, as `10m` or `1g`; of at least `least`. */
export function sizeFlag(name: string, text: string | undefined, least: number): number | undefined {
  if (text === undefined) return undefined
  const bytes = parseMemory(text)
  if (bytes !== undefined && bytes >= least) return bytes
  throw usageError(
    `Cannot read ${name} as it must be a size like 10m, and >= ${least}: current value is ${shown(text)}`,
  )
}

/** One of a few words. */
export function wordFlag<const W extends string>(
  name: string,
  text: string | undefined,
  words: readonly W[],
): W | undefined {
  if (text === undefined) return undefined
  const word = words.find(candidate => candidate === text)
  if (word !== undefined) return word
  throw usageError(`Cannot read ${name} as it must be ${words.join(' or ')}: current value is ${shown(text)}`)
}

/** An id, as a positional argument or an option gives it. */
export function idFlag(name: string, text: string): number {
  return countFlag(name, text, 1)!
}

/** An empty value would vanish at the end of a message. */
const shown = (text: string): string => (text === '' ? '(empty)' : text)
