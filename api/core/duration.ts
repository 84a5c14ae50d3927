/** Fixed lengths, as the contract defines them: a year of 365.25 days, a month of one twelfth of that. */
const SECONDS = { year: 31_557_600, month: 2_629_800, week: 604_800, day: 86_400, hour: 3_600, minute: 60 }

/** Clients parse each number into 32 bits and crash beyond. */
const MOST_IN_A_PART = 2 ** 32 - 1

const WEEKS = /^P(\d+)W$/
const PARTS = /^P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:[.,]\d+)?)S)?)?$/
const CALENDAR = /^P(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})$/

/**
 * Reads an ISO 8601 duration (`P1DT2H`, `PT0.5S`, `P2W`, `P0000-00-01T02:00:00`); only seconds may have a fraction, blanks around it
 * are ignored. Gives seconds, or undefined when any part of the text is not understood or a number is beyond 32 bits.
 */
export function parseDuration(text: string): number | undefined {
  const trimmed = text.trim()
  const weeks = WEEKS.exec(trimmed)
  const parts = PARTS.exec(trimmed) ?? CALENDAR.exec(trimmed)
  const counts = (weeks ?? parts)?.slice(1).map(part => part && Number(part.replace(',', '.')))
  if (!counts || counts.every(count => count === undefined)) return undefined
  const numbers = counts.map(count => count || 0)
  if (numbers.some(number => number > MOST_IN_A_PART)) return undefined
  if (weeks) return numbers[0]! * SECONDS.week
  const [years = 0, months = 0, days = 0, hours = 0, minutes = 0, seconds = 0] = numbers
  return (
    years * SECONDS.year +
    months * SECONDS.month +
    days * SECONDS.day +
    hours * SECONDS.hour +
    minutes * SECONDS.minute +
    seconds
  )
}

/** The same in a request: the contract takes `PT` alone for no time at all (contract/notes.md 13.1), which a workflow file may not say. */
export const parseWireDuration = (text: string): number | undefined => (text.trim() === 'PT' ? 0 : parseDuration(text))

const SHORT_FORM = /^(\d+)\s*([smhd]?)$/i
const FRACTION_FORM = /^PT(\d+)[.,](\d+)([HM])$/

/** Offers the ISO form of what people usually mean (`30m` → `PT30M`, `PT1.5H` → `PT1H30M`); undefined when that is unclear. */
export function suggestDuration(text: string): string | undefined {
  const trimmed = text.trim()
  const short = SHORT_FORM.exec(trimmed)
  if (short) {
    const unit = (short[2] || 's').toUpperCase()
    return unit === 'D' ? `P${short[1]}D` : `PT${short[1]}${unit}`
  }
  const fraction = FRACTION_FORM.exec(trimmed)
  if (fraction) {
    const unitSeconds = fraction[3] === 'H' ? SECONDS.hour : SECONDS.minute
    return formatDuration(Math.round(Number(`${fraction[1]}.${fraction[2]}`) * unitSeconds))
  }
  const upper = trimmed.toUpperCase()
  return upper !== trimmed && parseDuration(upper) !== undefined ? upper : undefined
}

function formatDuration(seconds: number): string {
  const hours = Math.floor(seconds / SECONDS.hour)
  const minutes = Math.floor((seconds % SECONDS.hour) / SECONDS.minute)
  const rest = seconds % SECONDS.minute
  return `PT${hours ? `${hours}H` : ''}${minutes ? `${minutes}M` : ''}${rest || !(hours || minutes) ? `${rest}S` : ''}`
}
