const MIB = 2 ** 20

/** Whole MiB that hold this many bytes. */
export const toMib = (bytes: number): number => Math.ceil(bytes / MIB)

/** `HH:MM:SS`; hours may pass 99. */
export function clockTime(seconds: number): string {
  return [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60].map(twoDigits).join(':')
}

/** `D-HH:MM:SS`, or `HH:MM:SS` below a day. */
export function dayTime(seconds: number): string {
  const days = Math.floor(seconds / 86_400)
  return days === 0 ? clockTime(seconds) : `${days}-${clockTime(seconds % 86_400)}`
}

const twoDigits = (value: number): string => String(value).padStart(2, '0')

/** Seconds of `[D-]HH:MM:SS`, `MM:SS` or `D-HH`; undefined when the text is none of them. */
export function parseClockTime(text: string): number | undefined {
  const [, days, rest] = /^(?:(\d+)-)?(\d+(?::\d+){0,2})$/.exec(text) ?? []
  if (rest === undefined) return undefined
  const parts = rest.split(':').map(Number)
  // After days hours come first, else minutes and seconds stand last.
  const [hours, minutes, seconds] = days === undefined ? [0, 0, 0, ...parts].slice(-3) : [...parts, 0, 0].slice(0, 3)
  return Number(days ?? 0) * 86_400 + hours! * 3600 + minutes! * 60 + seconds!
}
