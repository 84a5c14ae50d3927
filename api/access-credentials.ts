/** What a request shows in its Authorization header; the user of a Bearer token is empty. */
export type Credentials = { scheme: 'bearer' | 'basic'; user: string; secret: string }

/** Reads the header; undefined without one, or with a scheme that is none of ours: both count as no credentials (contract/notes.md 6.1). */
export function readCredentials(header: string | undefined): Credentials | undefined {
  const [, scheme = '', rest = ''] = /^(\w+) +(.*)$/.exec(header ?? '') ?? []
  if (scheme.toLowerCase() === 'bearer') return { scheme: 'bearer', user: '', secret: rest }
  if (scheme.toLowerCase() !== 'basic') return undefined
  const text = decodeBase64(rest)
  const colon = text.indexOf(':')
  return { scheme: 'basic', user: text.slice(0, Math.max(0, colon)), secret: text.slice(colon + 1) }
}

function decodeBase64(text: string): string {
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(text), char => char.charCodeAt(0)))
  } catch {
    return ''
  }
}

/** Takes as long for a near miss as for a far one, so that answer times tell nothing about the token. */
export function equalInConstantTime(given: string, token: string): boolean {
  let differing = given.length ^ token.length
  for (let k = 0; k < token.length; k++) differing |= given.charCodeAt(k % (given.length || 1)) ^ token.charCodeAt(k)
  return differing === 0
}
