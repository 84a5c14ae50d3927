import { catchFault, DEEPEST, type ReadResult, SyntaxFault } from './fault.ts'
import type { ListNode, MapNode, SpecNode, TextNode } from './tree.ts'
import { intValue } from './tree.ts'

/**
 * Reads JSON or JSON5 with the position of every key and value. JSON.parse gives no positions, merges equal keys and reorders
 * integer-like ones, and json5 gives no positions either; one descent serves both, as JSON5 only allows more.
 */
export function readJson(source: string, dialect: 'json' | 'json5'): ReadResult {
  return catchFault(() => {
    const cursor: Cursor = { source, at: 0, depth: 0, json5: dialect === 'json5' }
    const root = readValue(cursor)
    skipBlanks(cursor)
    if (cursor.at < source.length) throw unexpected(cursor, 'the end of the file')
    return { root }
  })
}

interface Cursor {
  source: string
  at: number
  depth: number
  json5: boolean
}

const JSON_BLANKS = /[ \t\r\n]*/y
const JSON5_BLANKS = /(?:\s+|\/\/[^\n\r\u2028\u2029]*|\/\*.*?\*\/)*/sy

function skipBlanks(cursor: Cursor): void {
  const blanks = cursor.json5 ? JSON5_BLANKS : JSON_BLANKS
  blanks.lastIndex = cursor.at
  blanks.exec(cursor.source)
  cursor.at = blanks.lastIndex
}

function unexpected(cursor: Cursor, wanted: string): SyntaxFault {
  const found = cursor.source[cursor.at]
  const hint = !cursor.json5 && cursor.source.startsWith('/', cursor.at) ? 'comments need a .json5 file' : undefined
  return new SyntaxFault(
    cursor.at,
    `${found === undefined ? 'the file ends' : `"${found}" stands`} where ${wanted} is expected`,
    hint,
  )
}

function readValue(cursor: Cursor): SpecNode {
  skipBlanks(cursor)
  const first = cursor.source[cursor.at]
  if (first === '{') return nested(cursor, readMap)
  if (first === '[') return nested(cursor, readList)
  if (first === '"' || (first === "'" && cursor.json5)) return readText(cursor)
  return readLiteral(cursor)
}

function nested<T>(cursor: Cursor, read: (cursor: Cursor) => T): T {
  if (++cursor.depth > DEEPEST) throw new SyntaxFault(cursor.at, 'the file is nested too deeply')
  const node = read(cursor)
  cursor.depth--
  return node
}

function readMap(cursor: Cursor): MapNode {
  const node: MapNode = { kind: 'map', at: cursor.at, end: cursor.at, entries: [] }
  readMembers(cursor, '}', () => {
    const keyAt = cursor.at
    const key = readKey(cursor)
    skipBlanks(cursor)
    if (cursor.source[cursor.at] !== ':') throw unexpected(cursor, '":"')
    cursor.at++
    node.entries.push({ key, keyAt, value: readValue(cursor) })
  })
  node.end = cursor.at
  return node
}

function readList(cursor: Cursor): ListNode {
  const node: ListNode = { kind: 'list', at: cursor.at, end: cursor.at, items: [] }
  readMembers(cursor, ']', () => node.items.push(readValue(cursor)))
  node.end = cursor.at
  return node
}

/** Reads from the opening to the closing bracket, members between commas. */
function readMembers(cursor: Cursor, close: '}' | ']', readMember: () => void): void {
  cursor.at++
  skipBlanks(cursor)
  let afterComma = false
  while (cursor.source[cursor.at] !== close || (afterComma && !cursor.json5)) {
    if (cursor.source[cursor.at] === close) {
      throw new SyntaxFault(cursor.at, `"${close}" follows a comma`, 'remove the comma, or use a .json5 file')
    }
    readMember()
    skipBlanks(cursor)
    afterComma = cursor.source[cursor.at] === ','
    if (afterComma) cursor.at++
    else if (cursor.source[cursor.at] !== close) throw unexpected(cursor, `"," or "${close}"`)
    skipBlanks(cursor)
  }
  cursor.at++
}

const IDENTIFIER = /[\p{L}\p{Nl}$_][\p{L}\p{Nl}\p{Mn}\p{Mc}\p{Nd}\p{Pc}$\u200C\u200D]*/uy

function readKey(cursor: Cursor): string {
  const first = cursor.source[cursor.at]
  if (first === '"' || (first === "'" && cursor.json5)) return readText(cursor).value
  IDENTIFIER.lastIndex = cursor.at
  const name = cursor.json5 ? IDENTIFIER.exec(cursor.source) : null
  if (!name) throw unexpected(cursor, cursor.json5 ? 'a key' : 'a key in double quotes')
  cursor.at += name[0].length
  return name[0]
}

const ESCAPES: Record<string, string> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v', '0': '\0' }
const JSON_ESCAPES = '"\\/bfnrt'

function readText(cursor: Cursor): TextNode {
  const { source } = cursor
  const at = cursor.at
  const quote = source[at]!
  let value = ''
  let from = ++cursor.at
  for (;;) {
    const letter = source[cursor.at]
    if (letter === undefined) throw new SyntaxFault(at, 'the text never ends', `close it with ${quote}`)
    if (letter === quote) break
    if (letter === '\\') {
      value += source.slice(from, cursor.at) + readEscape(cursor)
      from = cursor.at
      continue
    }
    if (letter === '\n' || letter === '\r' || (!cursor.json5 && letter < ' ')) {
      throw new SyntaxFault(
        cursor.at,
        'a control character or line break stands inside a text',
        'write it as \\n or another escape',
      )
    }
    cursor.at++
  }
  value += source.slice(from, cursor.at)
  cursor.at++
  return { kind: 'text', at, end: cursor.at, value }
}

const HEX_ESCAPE = /u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}/y
const LINE_BREAK = /\r\n|[\n\r\u2028\u2029]/y

/** Reads from the backslash to behind the escape. */
function readEscape(cursor: Cursor): string {
  const start = cursor.at++
  const letter = cursor.source[cursor.at] ?? ''
  const hex = matchAt(HEX_ESCAPE, cursor)
  if (hex && (cursor.json5 || letter === 'u')) {
    cursor.at += hex.length
    return String.fromCharCode(Number.parseInt(hex.slice(1), 16))
  }
  const lineBreak = cursor.json5 ? matchAt(LINE_BREAK, cursor) : undefined
  if (lineBreak) {
    cursor.at += lineBreak.length
    return ''
  }
  const known = cursor.json5 ? letter !== '' && !/[1-9ux]/.test(letter) : letter !== '' && JSON_ESCAPES.includes(letter)
  if (!known) throw new SyntaxFault(start, `"\\${letter}" is no escape`, 'write a backslash as \\\\')
  cursor.at++
  return ESCAPES[letter] ?? letter
}

function matchAt(pattern: RegExp, cursor: Cursor): string | undefined {
  pattern.lastIndex = cursor.at
  return pattern.exec(cursor.source)?.[0]
}

const WORD = /[^\s,:\]}{["']+/y
const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?<fraction>\.\d+)?(?<exponent>[eE][+-]?\d+)?$/
const JSON5_NUMBER = /^[+-]?(?:\d+(?<point>\.\d*)?|(?<bare>\.\d+))(?<exponent>[eE][+-]?\d+)?$/
const JSON5_HEX = /^[+-]?0[xX][0-9a-fA-F]+$/
const JSON5_WORDS: Record<string, number> = {
  Infinity: Number.POSITIVE_INFINITY,
  '+Infinity': Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
  NaN: Number.NaN,
  '+NaN': Number.NaN,
  '-NaN': Number.NaN,
}

/** Reads true, false, null or a number. */
function readLiteral(cursor: Cursor): SpecNode {
  const at = cursor.at
  const word = matchAt(WORD, cursor)
  if (word === undefined) throw unexpected(cursor, 'a value')
  const end = at + word.length
  cursor.at = end
  if (word === 'null') return { kind: 'null', at, end }
  if (word === 'true' || word === 'false') return { kind: 'bool', at, end, value: word === 'true' }
  const number = readNumber(word, cursor.json5)
  if (!number) throw new SyntaxFault(at, `"${word}" is no value`, `quote it: "${word}"`)
  return { ...number, at, end }
}

function readNumber(word: string, json5: boolean) {
  if (json5 && Object.hasOwn(JSON5_WORDS, word)) return { kind: 'float', value: JSON5_WORDS[word]! } as const
  if (json5 && JSON5_HEX.test(word)) {
    const magnitude = BigInt(word.replace(/^[+-]/, ''))
    return { kind: 'int', value: intValue(word.startsWith('-') ? -magnitude : magnitude) } as const
  }
  const match = (json5 ? JSON5_NUMBER : JSON_NUMBER).exec(word)
  if (!match) return undefined
  const isFloat = Object.values(match.groups ?? {}).some(part => part !== undefined)
  if (isFloat) return { kind: 'float', value: Number(word) } as const
  return { kind: 'int', value: intValue(BigInt(word.replace(/^\+/, ''))) } as const
}
