/** Prints a float as the shortest decimal that reads back the same, never with an exponent: 1 → `1`, 1e-7 → `0.0000001`, -0 → `-0`. */
export function printFloat(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value < 0 ? '-inf' : 'inf'
  const sign = value < 0 || Object.is(value, -0) ? '-' : ''
  const [mantissa = '', exponent = '0'] = String(Math.abs(value)).split('e')
  const [whole = '', fraction = ''] = mantissa.split('.')
  const digits = whole + fraction
  const point = whole.length + Number(exponent)
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`
  if (point >= digits.length) return `${sign}${digits}${'0'.repeat(point - digits.length)}`
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`
}

/**
 * Prints a float with a fixed number of digits after the point, ties to even on the exact binary value: 0.125 → `0.12`.
 * toFixed rounds ties up and gives exponents from 1e21, so the decimal expansion is computed exactly.
 */
export function printFixed(value: number, digits: number): string {
  if (!Number.isFinite(value)) return printFloat(value)
  const sign = value < 0 || Object.is(value, -0) ? '-' : ''
  const { mantissa, exponent } = binaryParts(Math.abs(value))
  const scaled = mantissa * 10n ** BigInt(digits)
  const rounded = exponent >= 0 ? scaled << BigInt(exponent) : divideTiesToEven(scaled, 1n << BigInt(-exponent))
  const text = String(rounded).padStart(digits + 1, '0')
  return digits === 0 ? sign + text : `${sign}${text.slice(0, -digits)}.${text.slice(-digits)}`
}

/** How many digits of a float carry meaning when printed; more than 15 are the traces of binary sums. */
export function significantDigits(value: number): number {
  return (String(Math.abs(value)).split('e')[0] ?? '').replace('.', '').replace(/^0+|0+$/g, '').length
}

const FRACTION_BITS = 52
const EXPONENT_BIAS = 1075

/** value = mantissa × 2^exponent, exactly (IEEE 754 binary64). */
function binaryParts(value: number): { mantissa: bigint; exponent: number } {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, value)
  const bits = view.getBigUint64(0)
  const fraction = bits & ((1n << BigInt(FRACTION_BITS)) - 1n)
  const biased = Number(bits >> BigInt(FRACTION_BITS))
  if (biased === 0) return { mantissa: fraction, exponent: 1 - EXPONENT_BIAS }
  return { mantissa: fraction | (1n << BigInt(FRACTION_BITS)), exponent: biased - EXPONENT_BIAS }
}

function divideTiesToEven(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor
  const twiceRest = (dividend % divisor) * 2n
  const up = twiceRest > divisor || (twiceRest === divisor && quotient % 2n === 1n)
  return up ? quotient + 1n : quotient
}
