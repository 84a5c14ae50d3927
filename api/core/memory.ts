const FORM = /^\+?(\d+)([kmgt]?)$/i
const UNIT_EXPONENT: Record<string, bigint> = { '': 0n, k: 10n, m: 20n, g: 30n, t: 40n }

/** Clients keep memory in signed 64-bit integers. */
const MOST_BYTES = 2n ** 63n - 1n

/**
 * Reads a memory size: digits and an optional letter k, m, g or t (powers of 1024), no letter = bytes; blanks around it are ignored.
 * Gives bytes, or undefined when the text is anything else or the size is beyond 63 bits.
 */
export function parseMemory(text: string): number | undefined {
  const match = FORM.exec(text.trim())
  if (!match) return undefined
  const bytes = BigInt(match[1]!) << UNIT_EXPONENT[match[2]!.toLowerCase()]!
  return bytes <= MOST_BYTES ? Number(bytes) : undefined
}

const LONG_UNIT = /^\+?(\d+)\s*([kmgt])(?:i?b|i)?$/i
const FRACTION = /^\+?(\d+\.\d+)\s*([kmgt])(?:i?b|i)?$/i
const SMALLER_UNIT: Record<string, string> = { k: '', m: 'k', g: 'm', t: 'g' }

/** Offers what people usually mean (`4GB` → `4g`, `1.5g` → `1536m`); undefined when that is unclear. */
export function suggestMemory(text: string): string | undefined {
  const trimmed = text.trim()
  const long = LONG_UNIT.exec(trimmed)
  if (long) return `${long[1]}${long[2]!.toLowerCase()}`
  const fraction = FRACTION.exec(trimmed)
  if (!fraction) return undefined
  return `${Math.ceil(Number(fraction[1]) * 1024)}${SMALLER_UNIT[fraction[2]!.toLowerCase()]}`
}
