import { DEEPEST, SyntaxFault } from '../core/spec/fault.ts'

/** A raw string of KDL 1 (`r"…"`, `r#"…"#`), which files of older writers have and KDL 2 refuses. */
export interface OldRawString {
  at: number
  end: number
  hashes: number
}

const STRING = /"""|"[^"\\]*(?:\\.[^"\\]*)*"/sy
const RAW_START = /(r?)(#*)("""|")/y
const LINE_COMMENT = /\/\/[^\n\r]*/y
const IDENTIFIER = /[^\s"#(){}[\]/\\;=]+/y

/**
 * Walks over the words and strings of a KDL text. Finds raw strings of KDL 1, and refuses deep nesting before the parser, which
 * descends by recursion, sees it. Text that is no KDL is passed over: the parser has the better message.
 */
export function scanKdl(source: string): OldRawString[] {
  const found: OldRawString[] = []
  let depth = 0
  let at = 0
  while (at < source.length) {
    const letter = source[at]!
    if (letter === '{' && ++depth > DEEPEST) throw new SyntaxFault(at, 'the file is nested too deeply')
    if (letter === '}') depth--
    const raw = letter === 'r' || letter === '#' ? rawStringAt(source, at) : undefined
    if (raw?.isOld) found.push(raw)
    at = raw?.end ?? at + skippedAt(source, at).length
  }
  return found
}

/** A raw string of either version; one that is never closed ends with the file. */
function rawStringAt(source: string, at: number): (OldRawString & { isOld: boolean }) | undefined {
  RAW_START.lastIndex = at
  const [start, mark = '', hashes = '', quote = ''] = RAW_START.exec(source) ?? []
  if (start === undefined || (mark === '' && hashes === '')) return undefined
  const isOld = mark === 'r'
  // KDL 1 has no multi-line form: its `r"""` is an empty string and the start of another.
  const open = isOld ? '"' : quote
  const close = source.indexOf(`${open}${hashes}`, at + mark.length + hashes.length + open.length)
  const end = close < 0 ? source.length : close + open.length + hashes.length
  return { at, end, hashes: hashes.length, isOld }
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

/** Writes raw strings as KDL 2 has them, and tells where an offset of the new text stands in the old one. */
export function modernizeRawStrings(
  source: string,
  olds: readonly OldRawString[],
): { text: string; offsetOf: (at: number) => number } {
  let text = ''
  let from = 0
  const shifts: { at: number; by: number }[] = []
  for (const { at, end, hashes } of olds) {
    const marks = '#'.repeat(Math.max(hashes, 1))
    const content = source.slice(at + 1 + hashes, end - hashes)
    text += `${source.slice(from, at)}${marks}${content}${marks}`
    from = end
    shifts.push({ at: text.length, by: text.length - end })
  }
  text += source.slice(from)
  return { text, offsetOf: at => at - (shifts.findLast(shift => shift.at <= at)?.by ?? 0) }
}
