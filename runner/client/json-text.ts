/** An escape of half a surrogate pair, behind backslashes that are escaped themselves; whole pairs JSON.stringify writes as they are. */
const HALF_PAIR = /(?<!\\)((?:\\\\)*)\\ud[89a-f][0-9a-f]{2}/g

/**
 * Writes the body of a request. A text that was cut in the middle of a character gets a replacement there: the server refuses such halves,
 * with all that is sent beside them.
 */
export function jsonText(body: unknown): string {
  const text = JSON.stringify(body)
  return text.includes('\\ud') ? text.replace(HALF_PAIR, '$1\\ufffd') : text
}
