/** How values stand in a KDL 2 text. */

const BARE_NAME = /^[A-Za-z_][A-Za-z0-9_-]*$/
const KEYWORDS = new Set(['true', 'false', 'null', 'inf', 'nan'])

/** A name of a node, quoted where it has to be. */
export function kdlName(name: string): string {
  return BARE_NAME.test(name) && !KEYWORDS.has(name) ? name : kdlString(name)
}

const SHORT_ESCAPES: Record<string, string> = { '\\': '\\\\', '"': '\\"', '\n': '\\n', '\r': '\\r', '\t': '\\t' }
/** Line breaks, which end a string on one line, and what must not stand in a KDL text at all. */
const ESCAPED = /[\\"\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/gu
const ESCAPED_IN_BLOCK = /\\|"""|(?!\t)[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/gu

export function kdlString(text: string): string {
  return `"${text.replace(ESCAPED, escaped)}"`
}

function escaped(letters: string): string {
  return [...letters].map(letter => SHORT_ESCAPES[letter] ?? `\\u{${letter.codePointAt(0)!.toString(16)}}`).join('')
}

/** A text of several lines as a block; undefined where a block would say something else, as it drops blanks of blank lines. */
export function kdlBlock(text: string, indent: string): string | undefined {
  const lines = text.split('\n')
  if (lines.length < 2 || lines.some(line => line !== '' && line.trim() === '')) return undefined
  const inner = lines.map(line => (line === '' ? '' : `${indent}${line.replace(ESCAPED_IN_BLOCK, escaped)}`))
  return ['"""', ...inner, `${indent}"""`].join('\n')
}

export function kdlNumber(value: number | bigint, isFloat: boolean): string {
  if (typeof value === 'bigint') return String(value)
  if (Number.isNaN(value)) return '#nan'
  if (!Number.isFinite(value)) return value < 0 ? '#-inf' : '#inf'
  const text = Object.is(value, -0) ? '-0' : String(value)
  return isFloat && /^-?\d+$/.test(text) ? `${text}.0` : text
}
