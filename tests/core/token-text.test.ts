import fc from 'fast-check'
import { expect, it } from 'vitest'
import { BASE62, formatToken, parseToken, SECRET_LENGTH } from '../../api/core/token-text.ts'

const secrets = fc.string({ unit: fc.constantFrom(...BASE62), minLength: SECRET_LENGTH, maxLength: SECRET_LENGTH })
const ids = fc.integer({ min: 1, max: 999_999_999_999_999 })

it('parseToken() reads what formatToken() wrote', () => {
  fc.assert(
    fc.property(ids, secrets, (id, secret) => {
      expect(parseToken(formatToken({ id, secret }))).toEqual({ id, secret })
    }),
  )
})

it('parseToken() refuses a token in which one character is another one', () => {
  fc.assert(
    fc.property(ids, secrets, fc.nat(), fc.constantFrom(...BASE62, '_', ' '), (id, secret, place, char) => {
      const token = formatToken({ id, secret })
      const at = place % token.length
      fc.pre(token[at] !== char)
      expect(parseToken(token.slice(0, at) + char + token.slice(at + 1))).toBeUndefined()
    }),
  )
})

it('parseToken() refuses what has not the form of a token', () => {
  const token = formatToken({ id: 7, secret: 'a'.repeat(SECRET_LENGTH) })
  for (const text of [
    '',
    'hr_',
    token.slice(1),
    token.slice(0, -1),
    `${token}a`,
    ` ${token}`,
    `${token}\n`,
    token.toUpperCase(),
  ])
    expect(parseToken(text), text).toBeUndefined()
  expect(parseToken(token.replace('hr_7_', 'hr_07_'))).toBeUndefined()
  expect(parseToken(token.replace('hr_7_', 'hr_8_'))).toBeUndefined()
})

it('formatToken() ends with the CRC-32 of the rest in base 62', () => {
  const text = `hr_12_${'Z'.repeat(SECRET_LENGTH)}`
  const token = formatToken({ id: 12, secret: 'Z'.repeat(SECRET_LENGTH) })
  let sum = 0
  for (const digit of token.slice(text.length)) sum = sum * 62 + BASE62.indexOf(digit)
  expect(token.startsWith(text)).toBe(true)
  expect(sum).toBe(crcOf(text))
})

/** Bit by bit, as the definition has it, over the reversed polynomial. */
function crcOf(text: string): number {
  const table = Array.from({ length: 256 }, (_, byte) => {
    let value = byte
    for (let k = 0; k < 8; k++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1
    return value >>> 0
  })
  return (Buffer.from(text).reduce((crc, byte) => (crc >>> 8) ^ table[(crc ^ byte) & 255]!, 0xffffffff) ^ -1) >>> 0
}
