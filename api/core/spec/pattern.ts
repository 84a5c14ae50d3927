/** The part of a selector that needs no engine: most patterns are a name between anchors. */

/** Characters with a meaning in Rust's regex syntax, also in its `(?x)` and class modes. */
const SPECIAL = /[\\.+*?()|[\]{}^$#&~\s-]/g

/** Escapes a text so that, as a part of a pattern, it matches itself. */
export function escapePattern(text: string): string {
  return text.replace(SPECIAL, letter =>
    /\s/.test(letter) ? `\\x{${letter.charCodeAt(0).toString(16)}}` : `\\${letter}`,
  )
}

export interface LiteralPattern {
  text: string
  atStart: boolean
  atEnd: boolean
}

const LITERAL = /^(\^?)((?:[^\\.+*?()|[\]{}^$]|\\[\\.+*?()|[\]{}^$#&~-]|\\x\{[0-9a-ce-f]?[0-9a-f]{1,3}\})*)(\$?)$/

/** The literal that a pattern searches, when it is nothing but a literal with or without anchors. */
export function asLiteral(pattern: string): LiteralPattern | undefined {
  const match = LITERAL.exec(pattern)
  if (!match) return undefined
  return { text: unescapePattern(match[2]!), atStart: match[1] !== '', atEnd: match[3] !== '' }
}

/** How to search a pattern that begins with `^` and a literal. */
export interface SplitPattern {
  /** Every match begins with this text; empty when there is none to be sure of. */
  prefix: string
  /** The pattern for the part of the name behind `skip` characters. Many patterns of a file share it, so that it is compiled once. */
  rest: string
  skip: number
}

const PREFIX = /^\^((?:[^\\.+*?()|[\]{}^$]|\\[\\.+*?()|[\]{}^$#&~-]|\\x\{[0-9a-ce-f]?[0-9a-f]{1,3}\})*)/

/** What looks at the text before it, and so cannot run behind a cut: word boundaries, starts, and flags that change them. */
const LOOKS_BACK = /\\[bBA<]|\(\?|(?<!\[)\^/

/** Splits off the literal between `^` and the first operator. */
export function splitPattern(pattern: string): SplitPattern {
  const match = PREFIX.exec(pattern)
  const whole = { prefix: '', rest: pattern, skip: 0 }
  if (!match || match[1] === '' || mayHaveTopLevelAlternative(pattern)) return whole
  const literal = unescapePattern(match[1]!)
  const rest = pattern.slice(match[0].length)
  if (/^[*+?{]/.test(rest)) return { ...whole, prefix: [...literal].slice(0, -1).join('') }
  return LOOKS_BACK.test(rest)
    ? { ...whole, prefix: literal }
    : { prefix: literal, rest: `^${rest}`, skip: literal.length }
}

function unescapePattern(escaped: string): string {
  return escaped.replace(/\\x\{([0-9a-f]+)\}|\\(.)/g, (_, code?: string, letter?: string) =>
    code === undefined ? letter! : String.fromCharCode(Number.parseInt(code, 16)),
  )
}

/**
 * `^a|b$` means (`^a`) or (`b$`), so a `|` outside of groups frees the pattern from its first anchor.
 * Says yes as well where this scan cannot be sure (nested classes, comments of `(?x)`).
 */
function mayHaveTopLevelAlternative(pattern: string): boolean {
  if (/\(\?[a-zA-Z]*x/.test(pattern)) return true
  let depth = 0
  let inClass = false
  for (let at = 0; at < pattern.length; at++) {
    const letter = pattern[at]
    if (letter === '\\') at++
    else if (inClass && letter === '[') return true
    else if (inClass) inClass = letter !== ']'
    else if (letter === '[') inClass = true
    else if (letter === '(') depth++
    else if (letter === ')') depth--
    else if (letter === '|' && depth <= 0) return true
  }
  return false
}

const ASCII_CLASSES: Record<string, string> = { d: '[0-9]', w: '[0-9A-Za-z_]', s: '[\\t\\n\\x0B\\f\\r ]' }

/** A class at the end of a range is an error that must stay one. */
const CLASS_BESIDE_DASH = /-\\[dws]|\\[dws]-/

/**
 * The same pattern for names of ASCII characters only, where classes need not know all of Unicode: their tables cost a hundred times
 * more to compile than the rest of a pattern.
 */
export function asciiForm(pattern: string): string {
  if (CLASS_BESIDE_DASH.test(pattern)) return pattern
  return pattern.replace(/\\(.)/gs, (written, letter: string) => ASCII_CLASSES[letter] ?? written)
}

const ITEM = String.raw`(?:[^\\.+*?()|[\]{}^$]|\\[\\.+*?()|[\]{}^$#&~-]|\.|\[(?:0-9|a-z|A-Z|[0-9A-Za-z_])+\])`
/** Telling whether a pattern is plain takes time with the square of its length. */
const LONGEST_PLAIN = 500
const PLAIN = new RegExp(String.raw`^\^${ITEM}*(?:${ITEM}[*+?]${ITEM}*)?\$?$`)

/**
 * The same pattern for JavaScript's own engine, when it is one that both read alike for names of ASCII characters: characters, dots and
 * simple classes behind `^`, of which at most one is repeated, so that trying costs no more than the length of the name.
 */
export function asPlainExpression(pattern: string): RegExp | undefined {
  if (pattern.length > LONGEST_PLAIN || !PLAIN.test(pattern)) return undefined
  // A dot is anything but a line feed there, and leaves out more here.
  return new RegExp(pattern.replace(/\\.|\[[^\]]*\]|\./gs, part => (part === '.' ? '[^\\n]' : part)))
}

/** A parameter's place in a pattern as it is written in a file, whose value comes in escaped. */
const PLACE = /\{[A-Za-z_]\w*(?::[^{}]*)?\}/g

/** Whether a pattern of a file most likely needs the engine: names that are not ASCII need it anyway. */
export function likelyNeedsEngine(written: string): boolean {
  const pattern = written.replace(PLACE, 'x')
  return asLiteral(pattern) === undefined && asPlainExpression(asciiForm(splitPattern(pattern).rest)) === undefined
}

/** How many copies of its parts a pattern may compile to, by its counts: `(a{2,5}){3}` → 15. */
export function repeatCount(pattern: string): number {
  let product = 1
  for (const [, least, most] of pattern.matchAll(/\{(\d+)(?:,(\d*))?\}/g))
    product *= Math.max(Number(least), Number(most ?? 0), 1)
  return product
}
