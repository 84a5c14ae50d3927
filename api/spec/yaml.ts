import {
  Composer,
  type CST,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  type ParsedNode,
  Parser,
  Scalar,
} from 'yaml'
import { catchFault, DEEPEST, type ReadResult, SyntaxFault } from '../core/spec/fault.ts'
import type { ListNode, MapNode, SpecNode } from '../core/spec/tree.ts'
import { intValue } from '../core/spec/tree.ts'

/** Nodes that aliases may add to a file; more is the "billion laughs" attack, which grows tenfold per line. */
const MOST_ALIASED_NODES = 1_000_000

/**
 * Reads YAML with the position of every key and value. The library only splits the text (schema `failsafe`: every scalar is text);
 * which plain scalars are numbers, booleans or null is decided here, since the files follow neither YAML 1.1 nor 1.2 exactly.
 */
export function readYaml(source: string): ReadResult {
  return catchFault(() => {
    const document = composeDocument(source)
    return { root: new Converter().convert(document?.contents ?? null) }
  })
}

type ParsedDocument = Document.Parsed<ParsedNode, false> | Document.Parsed<ParsedNode, true>

function composeDocument(source: string): ParsedDocument | undefined {
  const tokens = parseTokens(source)
  const composer = new Composer({
    version: '1.2',
    schema: 'failsafe',
    prettyErrors: false,
    uniqueKeys: false,
    logLevel: 'silent',
  })
  let first: ParsedDocument | undefined
  for (const document of composer.compose(tokens, false, source.length)) {
    const error = document.errors[0]
    if (error) throw new SyntaxFault(skipBlanks(source, error.pos[0]), lowerFirst(error.message))
    if (first) throw new SyntaxFault(document.range[0], 'a second document starts here', 'keep one workflow per file')
    first = document
  }
  return first
}

/** A map within a list opens three of the parser's levels. */
const STACK_PER_LEVEL = 3

/**
 * The library composes by recursion, and a deep file ends the whole process. Its parser keeps a stack of what is open, which is looked at
 * while the text goes by.
 */
function parseTokens(source: string): CST.Token[] {
  const parser = new Parser()
  const tokens: CST.Token[] = []
  for (const lexeme of new Lexer().lex(source)) {
    for (const token of parser.next(lexeme)) tokens.push(token)
    if (parser.stack.length > DEEPEST * STACK_PER_LEVEL) {
      throw new SyntaxFault(parser.offset, 'the file is nested too deeply')
    }
  }
  for (const token of parser.end()) tokens.push(token)
  return tokens
}

/** The library often points at the indentation before the token it could not use. */
function skipBlanks(source: string, at: number): number {
  let next = at
  while (source[next] === ' ') next++
  return next < source.length ? next : at
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1)
}

interface Anchor {
  node: SpecNode
  size: number
}

/** Turns the library's nodes into ours, aliases into the nodes they stand for. */
class Converter {
  private readonly anchors = new Map<string, Anchor | 'open'>()
  private size = 0
  private aliased = 0

  convert(parsed: ParsedNode | null): SpecNode {
    if (!parsed) return { kind: 'null', at: 0, end: 0 }
    if (isAlias(parsed)) return this.follow(parsed.source, parsed.range[0])
    const before = this.size++
    if (parsed.anchor) this.anchors.set(parsed.anchor, 'open')
    const node = this.convertContent(parsed)
    if (parsed.anchor) this.anchors.set(parsed.anchor, { node, size: this.size - before })
    return node
  }

  private follow(name: string, at: number): SpecNode {
    const anchor = this.anchors.get(name)
    if (anchor === 'open') throw new SyntaxFault(at, `*${name} stands inside its own anchor`)
    if (!anchor) throw new SyntaxFault(at, `*${name} has no anchor before it`, `mark the value with &${name}`)
    this.size += anchor.size
    this.aliased += anchor.size
    if (this.aliased > MOST_ALIASED_NODES) throw new SyntaxFault(at, 'aliases make the file too large')
    return anchor.node
  }

  private convertContent(parsed: ParsedNode): SpecNode {
    const [at, end] = parsed.range
    if (isMap(parsed)) {
      requireTag(parsed.tag, 'map', at)
      const node: MapNode = { kind: 'map', at, end, entries: [] }
      for (const { key, value } of parsed.items as { key: ParsedNode; value: ParsedNode | null }[]) {
        node.entries.push({ key: keyText(key), keyAt: key.range[0], value: this.convertValue(value, key) })
      }
      return node
    }
    if (isSeq(parsed)) {
      requireTag(parsed.tag, 'seq', at)
      const node: ListNode = { kind: 'list', at, end, items: [] }
      for (const item of parsed.items as ParsedNode[]) node.items.push(this.convert(item))
      return node
    }
    if (isScalar(parsed)) return convertScalar(parsed, at, end)
    throw new SyntaxFault(at, 'this is no YAML value')
  }

  private convertValue(value: ParsedNode | null, key: ParsedNode): SpecNode {
    return value ? this.convert(value) : { kind: 'null', at: key.range[1], end: key.range[1] }
  }
}

function keyText(key: ParsedNode): string {
  if (isScalar(key)) return String(key.value ?? '')
  throw new SyntaxFault(key.range[0], 'a key must be plain text')
}

const CORE_TAG = 'tag:yaml.org,2002:'
type CoreTag = 'str' | 'int' | 'float' | 'bool' | 'null' | 'map' | 'seq'

function requireTag(tag: string | undefined, kind: CoreTag, at: number): void {
  if (tag !== undefined && tag !== `${CORE_TAG}${kind}`)
    throw new SyntaxFault(at, `the tag ${tag} is not supported here`, 'remove it')
}

function convertScalar(scalar: Scalar<unknown>, at: number, end: number): SpecNode {
  const value = String(scalar.value ?? '')
  if (scalar.tag === `${CORE_TAG}str`) return { kind: 'text', at, end, value }
  if (scalar.tag === undefined && scalar.type !== Scalar.PLAIN) return { kind: 'text', at, end, value }
  const node = { at, end, ...resolvePlain(value) }
  if (scalar.tag !== undefined) requireTag(scalar.tag, node.kind === 'text' ? 'str' : node.kind, at)
  return node
}

const INTEGER = /^[-+]?(?:0|[1-9][0-9]*)$/
const RADIX_INTEGER = /^([-+]?)(0x[0-9a-fA-F]+|0o[0-7]+|0b[01]+)$/
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?$/
const INFINITY = /^([-+]?)\.(?:inf|Inf|INF)$/
const WORDS = new Map<string, { kind: 'null' } | { kind: 'bool'; value: boolean } | { kind: 'float'; value: number }>([
  ...['', '~', 'null', 'Null', 'NULL'].map(word => [word, { kind: 'null' }] as const),
  ...['true', 'True', 'TRUE'].map(word => [word, { kind: 'bool', value: true }] as const),
  ...['false', 'False', 'FALSE'].map(word => [word, { kind: 'bool', value: false }] as const),
  ...['.nan', '.NaN', '.NAN'].map(word => [word, { kind: 'float', value: Number.NaN }] as const),
])

/** What a scalar without quotes means; a decimal with a leading zero, a date, a time and `yes` are text. */
function resolvePlain(text: string) {
  const word = WORDS.get(text)
  if (word) return word
  if (INTEGER.test(text)) return { kind: 'int', value: intValue(BigInt(text.replace('+', ''))) } as const
  const radix = RADIX_INTEGER.exec(text)
  if (radix) return { kind: 'int', value: intValue(radix[1] === '-' ? -BigInt(radix[2]!) : BigInt(radix[2]!)) } as const
  if (FLOAT.test(text)) return { kind: 'float', value: Number(text) } as const
  const infinity = INFINITY.exec(text)
  if (infinity)
    return { kind: 'float', value: infinity[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY } as const
  return { kind: 'text', value: text } as const
}

/** Whether a scalar of this text without quotes is that text, and no number, boolean or null. */
export function isPlainText(text: string): boolean {
  return resolvePlain(text).kind === 'text'
}
