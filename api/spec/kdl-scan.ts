import { DEEPEST, SyntaxFault } from '../core/spec/fault.ts'

/** A piece of the text that the parser needs in another form. */
export interface Rewrite {
  at: number
  end: number
  text: string
}

const STRING = /"""|"[^"\\]*(?:\\.[^"\\]*)*"/sy
const RAW_START = /(r?)(#*)("""|")/y
const LINE_COMMENT = /\/\/[^\n\r]*/y
const IDENTIFIER = /[^\s"#(){}[\]/\\;=]+/y

/** The parser takes a `;` right behind a hexadecimal number for one of its digits (@bgotink/kdl 0.4.0). */
const HEX_BEFORE_SEMICOLON = /^[+-]?0x[\da-fA-F_]+$/

/** A string, a word or a comment of a KDL text, or else one character. */
export interface KdlToken {
  at: number
  text: string
  /** Set for raw strings of KDL 1, which the parser does not know. */
  rewrite?: Rewrite | undefined
}

/** Cuts a text into tokens that joined give the text again. One that is no KDL is cut somehow: the parser has the better message. */
export function* kdlTokens(source: string): Generator<KdlToken> {
  let at = 0
  while (at < source.length) {
    const letter = source[at]!
    const raw = letter === 'r' || letter === '#' ? rawStringAt(source, at) : undefined
    const text = raw ? source.slice(at, raw.end) : skippedAt(source, at)
    yield { at, text, rewrite: raw?.rewrite }
    at += text.length
  }
}

/**
 * Finds what the parser needs in another form: raw strings of KDL 1 (`r"…"`, `r#"…"#`), which files of older writers have. Refuses deep
 * nesting before the parser, which descends by recursion, sees it.
 */
export function scanKdl(source: string): Rewrite[] {
  const rewrites: Rewrite[] = []
  let depth = 0
  for (const { at, text, rewrite } of kdlTokens(source)) {
    if (text === '{' && ++depth > DEEPEST) throw new SyntaxFault(at, 'the file is nested too deeply')
    if (text === '}') depth--
    if (rewrite) rewrites.push(rewrite)
    const end = at + text.length
    if (source[end] === ';' && HEX_BEFORE_SEMICOLON.test(text)) rewrites.push({ at: end, end, text: ' ' })
  }
  return rewrites
}

/** A raw string of either version; one that is never closed ends with the file. */
function rawStringAt(source: string, at: number): { end: number; rewrite: Rewrite | undefined } | undefined {
  RAW_START.lastIndex = at
  const [start, mark = '', hashes = '', quote = ''] = RAW_START.exec(source) ?? []
  if (start === undefined || (mark === '' && hashes === '')) return undefined
  const isOld = mark === 'r'
  // KDL 1 has no multi-line form: its `r"""` is an empty string and the start of another.
  const open = isOld ? '"' : quote
  const from = at + mark.length + hashes.length
  const close = source.indexOf(`${open}${hashes}`, from + open.length)
  if (close < 0) return { end: source.length, rewrite: undefined }
  const end = close + open.length + hashes.length
  const marks = hashes || '#'
  const text = `${marks}${source.slice(from, close + open.length)}${marks}`
  return { end, rewrite: isOld ? { at, end, text } : undefined }
}

/** What is to be passed over as a whole: a comment, a string, a word, or else one character. */
function skippedAt(source: string, at: number): string {
  if (source.startsWith('/*', at)) return blockCommentAt(source, at)
  const string = matchAt(STRING, source, at)
  if (string === '"""') return multiLineStringAt(source, at)
  return matchAt(LINE_COMMENT, source, at) ?? string ?? matchAt(IDENTIFIER, source, at) ?? source[at]!
}

function multiLineStringAt(source: string, at: number): string {
  let close = source.indexOf('"""', at + 3)
  while (close >= 0 && isEscaped(source, close)) close = source.indexOf('"""', close + 1)
  return close < 0 ? source.slice(at) : source.slice(at, close + 3)
}

function isEscaped(source: string, at: number): boolean {
  let backslashes = 0
  while (source[at - 1 - backslashes] === '\\') backslashes++
  return backslashes % 2 === 1
}

const COMMENT_EDGE = /\/\*|\*\//g

/** Comments of this kind nest. */
function blockCommentAt(source: string, at: number): string {
  let depth = 0
  COMMENT_EDGE.lastIndex = at
  for (let edge = COMMENT_EDGE.exec(source); edge; edge = COMMENT_EDGE.exec(source)) {
    depth += edge[0] === '/*' ? 1 : -1
    if (depth === 0) return source.slice(at, COMMENT_EDGE.lastIndex)
  }
  return source.slice(at)
}

function matchAt(pattern: RegExp, source: string, at: number): string | undefined {
  pattern.lastIndex = at
  return pattern.exec(source)?.[0]
}

/** Makes the rewrites, and tells where an offset of the new text stands in the old one. */
export function rewriteKdl(
  source: string,
  rewrites: readonly Rewrite[],
): { text: string; offsetOf: (at: number) => number } {
  let text = ''
  let from = 0
  const shifts: { at: number; by: number }[] = []
  for (const rewrite of rewrites) {
    text += source.slice(from, rewrite.at) + rewrite.text
    from = rewrite.end
    shifts.push({ at: text.length, by: text.length - rewrite.end })
  }
  text += source.slice(from)
  return { text, offsetOf: at => at - shiftAt(shifts, at) }
}

function shiftAt(shifts: readonly { at: number; by: number }[], at: number): number {
  let low = 0
  let high = shifts.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (shifts[middle]!.at <= at) low = middle + 1
    else high = middle
  }
  return shifts[low - 1]?.by ?? 0
}
