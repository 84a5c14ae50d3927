/**
 * What every reader (YAML, JSON, JSON5, KDL) makes of a text: maps in written order, lists and scalars, each with its offset in the
 * source. Everything after the readers is blind to the format, but for the names that KDL writes differently.
 */
export interface SpecTree {
  /** The text that offsets count in (UTF-16 units), without a byte-order mark. */
  source: string
  format: SpecFormat
  root: MapNode
  /** What the reader saw and the tree cannot show, such as a second argument of a KDL node. */
  problems: ReaderProblem[]
}

export interface ReaderProblem {
  code: 'unknown_key' | 'wrong_type' | 'bad_value'
  place: { at: number; path: string }
  message: string
}

export type SpecFormat = 'json' | 'json5' | 'yaml' | 'kdl'

export type SpecNode = NullNode | BoolNode | IntNode | FloatNode | TextNode | ListNode | MapNode

interface Positioned {
  /** Where the value starts; for quoted text the quote. */
  at: number
  /** Just behind the value. */
  end: number
}

export interface NullNode extends Positioned {
  kind: 'null'
}

export interface BoolNode extends Positioned {
  kind: 'bool'
  value: boolean
}

export interface IntNode extends Positioned {
  kind: 'int'
  /** A bigint only beyond 53 bits. */
  value: number | bigint
}

export interface FloatNode extends Positioned {
  kind: 'float'
  value: number
}

export interface TextNode extends Positioned {
  kind: 'text'
  value: string
}

export interface ListNode extends Positioned {
  kind: 'list'
  items: SpecNode[]
}

export interface MapNode extends Positioned {
  kind: 'map'
  entries: MapEntry[]
}

export interface MapEntry {
  key: string
  keyAt: number
  value: SpecNode
}

/** The value of a key, or undefined when the map lacks it. */
export function entryOf(map: MapNode, key: string): MapEntry | undefined {
  return map.entries.find(entry => entry.key === key)
}

/** An integer node's smallest faithful value: a number within 53 bits, else a bigint. */
export function intValue(digits: bigint): number | bigint {
  const value = Number(digits)
  return Number.isSafeInteger(value) ? value : digits
}

const KIND_WORDS = {
  null: 'null',
  bool: 'a boolean',
  int: 'an integer',
  float: 'a float',
  text: 'text',
  list: 'a list',
  map: 'a map',
} as const

/** How messages call a node's kind. */
export function kindWord(node: SpecNode): string {
  return KIND_WORDS[node.kind]
}

/**
 * Where a character of a text stands in the source. Escapes and block indentation make the two differ, so the line of the value that
 * holds the character is looked up in the source; the start of the value when it is not there as written.
 */
export function offsetInText(source: string, node: TextNode, index: number): number {
  const lineStart = node.value.lastIndexOf('\n', index - 1) + 1
  const lineEnd = node.value.indexOf('\n', index)
  const line = node.value.slice(lineStart, lineEnd < 0 ? undefined : lineEnd)
  const found = source.indexOf(line, node.at)
  return found >= 0 && found + line.length <= node.end ? found + index - lineStart : node.at
}
