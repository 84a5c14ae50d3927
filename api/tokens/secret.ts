import { BASE62, SECRET_LENGTH } from '../core/token-text.ts'

/** Above the largest multiple of 62 a byte would make some digits likelier than others. */
const FAIR_BYTES = 248

/** 256 random bits as digits of base 62. */
export function newSecret(): string {
  let secret = ''
  while (secret.length < SECRET_LENGTH) {
    for (const byte of crypto.getRandomValues(new Uint8Array(SECRET_LENGTH)))
      if (byte < FAIR_BYTES && secret.length < SECRET_LENGTH) secret += BASE62[byte % 62]
  }
  return secret
}

/**
 * What is stored of a secret: SHA-256 in hexadecimal digits. A slow hash would guard words that people choose; nobody guesses these,
 * and on Workers a request has 10 ms.
 */
export async function hashSecret(secret: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(secret))
  return Array.from(new Uint8Array(digest), byte => byte.toString(16).padStart(2, '0')).join('')
}
