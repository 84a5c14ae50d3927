/** How numbers are written for people. */

/** Thousands apart: `12,345`. */
export const formatCount = (count: number): string => String(count).replace(/\B(?=(\d{3})+$)/g, ',')

/** `2.1 s` below a minute, then `3m05s`, `4h02m`, `2d03h`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  if (whole < 60) return `${whole} s`
  const minutes = Math.floor(whole / 60)
  if (minutes < 60) return `${minutes}m${twoDigits(whole % 60)}s`
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return `${hours}h${twoDigits(minutes % 60)}m`
  return `${Math.floor(hours / 24)}d${twoDigits(hours % 24)}h`
}

/** `0:07`, `12:05`, `1:00:09`: keeps its width while it counts. */
export function formatClock(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  const minutes = Math.floor(seconds / 60)
  const rest = twoDigits(seconds % 60)
  return minutes < 60 ? `${minutes}:${rest}` : `${Math.floor(minutes / 60)}:${twoDigits(minutes % 60)}:${rest}`
}

/** `29/s`, `1.5/s`; slow work per minute or hour. */
export function formatRate(perSecond: number): string {
  if (perSecond >= 10) return `${formatCount(Math.round(perSecond))}/s`
  if (perSecond >= 1) return `${perSecond.toFixed(1)}/s`
  if (perSecond * 60 >= 1) return `${(perSecond * 60).toFixed(1)}/min`
  return `${(perSecond * 3600).toFixed(1)}/h`
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB']

/** `512 B`, `3.4 MiB`. */
export function formatBytes(bytes: number): string {
  const power = bytes < 1024 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(bytes) / 10))
  const amount = bytes / 1024 ** power
  return `${power === 0 || amount >= 100 ? Math.round(amount) : amount.toFixed(1)} ${UNITS[power]}`
}

/** `1 job`, `2 jobs`. */
export const counted = (count: number, noun: string): string => `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`

const twoDigits = (count: number): string => String(count).padStart(2, '0')
