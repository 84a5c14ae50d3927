/** The two parts of a token: the id under which it is found, and what proves it. */
export type TokenParts = { id: number; secret: string }

/** 43 of these hold 256 bits. No sign among them ends a word, so that a double click takes the whole token. */
export const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
export const SECRET_LENGTH = 43
const CHECKSUM_LENGTH = 6

const FORM = new RegExp(`^hr_([1-9][0-9]{0,14})_([0-9A-Za-z]{${SECRET_LENGTH}})([0-9A-Za-z]{${CHECKSUM_LENGTH}})$`)

/** `hr_<id>_<secret>` with a checksum as the secret's last characters: scanners for leaked secrets know it by its form. */
export function formatToken({ id, secret }: TokenParts): string {
  const text = `hr_${id}_${secret}`
  return text + checksum(text)
}

/** Reads a token; undefined for a text that is none, or in which a character is wrong: no database is asked about that. */
export function parseToken(text: string): TokenParts | undefined {
  const [whole, id = '', secret = '', sum] = FORM.exec(text) ?? []
  if (whole === undefined || checksum(whole.slice(0, -CHECKSUM_LENGTH)) !== sum) return undefined
  return { id: Number(id), secret }
}

/** CRC-32 as six digits of base 62: it finds slips of the hand and keeps no secret. */
function checksum(text: string): string {
  let crc = 0xffffffff
  for (let k = 0; k < text.length; k++) {
    crc ^= text.charCodeAt(k)
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0)
  }
  let rest = ~crc >>> 0
  let digits = ''
  for (let k = 0; k < CHECKSUM_LENGTH; k++) {
    digits = BASE62[rest % 62] + digits
    rest = Math.floor(rest / 62)
  }
  return digits
}
