import { didYouMean, nearest } from './hints.ts'
import type { Place, Report } from './report.ts'
import type { BoolNode, FloatNode, IntNode, MapEntry, MapNode, SpecNode, TextNode } from './tree.ts'
import { kindWord } from './tree.ts'

/** What is wrong with a value and how to mend it. */
export interface Fault {
  message: string
  hint?: string | undefined
}

export type TextCheck = (text: string) => Fault | undefined

/** One key of an object of the file. */
export type Field =
  | { is: 'text'; required?: true; oneOf?: readonly string[]; check?: TextCheck }
  | { is: 'int'; required?: true; min?: number }
  | { is: 'float'; min?: number }
  | { is: 'bool' }
  | { is: 'textList'; check?: TextCheck; oneOf?: readonly string[] }
  | { is: 'intList'; min?: number; max?: number }
  | { is: 'textMap'; checkKey?: TextCheck }
  | { is: 'any' }
  | { is: 'map' }
  | { is: 'object'; of: Schema }
  | { is: 'objects'; of: Schema; required?: true }

/** The keys of one kind of object, for all formats. */
export interface Schema {
  /** How messages call it: `a job`. */
  what: string
  fields: { readonly [key: string]: Field }
  /** What people write instead of a key, and the key they mean. */
  mistakes?: { readonly [written: string]: string }
  /** Keys that existed once, with the way to say it now. */
  removed?: { readonly [key: string]: string }
  /** Other spellings of a key that mean the same. */
  aliases?: { readonly [written: string]: string }
  /** Unknown keys were always swallowed here, so files in circulation may have them. */
  toleratesUnknown?: true
}

/** An integer that fits a JavaScript number. */
export interface SmallIntNode extends IntNode {
  value: number
}

interface NodeKinds {
  text: TextNode
  int: SmallIntNode
  float: FloatNode | SmallIntNode
  bool: BoolNode
  textList: ListView<TextNode>
  intList: ListView<SmallIntNode>
  textMap: { node: MapNode; entries: TextEntry[] }
  any: SpecNode
  map: MapNode
}

/** The items of a list that are of the right type, and where each stands among all. */
interface ListView<T> {
  items: T[]
  indexOf(item: SpecNode): number
}

export interface TextEntry extends MapEntry {
  value: TextNode
}

type Read<F extends Field> = F extends { is: 'object'; of: infer S extends Schema }
  ? SpecObject<S>
  : F extends { is: 'objects'; of: infer S extends Schema }
    ? SpecObject<S>[]
    : F extends { is: infer K extends keyof NodeKinds }
      ? NodeKinds[K]
      : never

/** An object of the file whose keys and types are checked; a key that is absent, null or of the wrong type is undefined. */
export interface SpecObject<S extends Schema = Schema> {
  node: MapNode
  path: string
  /** The entries behind the keys, aliases resolved: where problems point. */
  entries: ReadonlyMap<string, MapEntry>
  get: { [K in keyof S['fields']]?: Read<S['fields'][K]> }
}

/**
 * Checks the keys and types of one object and reports every problem. Gives undefined when the node is no map at all.
 */
export function readObject<S extends Schema>(
  schema: S,
  node: SpecNode,
  path: string,
  report: Report,
): SpecObject<S> | undefined {
  if (node.kind !== 'map') {
    report.error('wrong_type', { at: node.at, path }, `${schema.what} must be a map, not ${kindWord(node)}`)
    return undefined
  }
  const get: Record<string, unknown> = {}
  const seen = new Map<string, MapEntry>()
  const unknown: string[] = []
  for (const entry of node.entries) {
    const place = { at: entry.keyAt, path: joinPath(path, entry.key) }
    const key = schema.aliases?.[entry.key] ?? entry.key
    if (seen.has(key)) {
      report.error('duplicate_key', place, `"${entry.key}" is given twice`, 'keep one of the two')
      continue
    }
    seen.set(key, entry)
    const field = Object.hasOwn(schema.fields, key) ? schema.fields[key] : undefined
    if (!field) {
      unknown.push(entry.key)
      reportUnknownKey(schema, entry.key, place, report)
    } else if (entry.value.kind !== 'null') get[key] = readField(field, entry, joinPath(path, key), report)
  }
  for (const [key, field] of Object.entries(schema.fields)) {
    const value = seen.get(key)?.value
    if (!('required' in field) || (value && value.kind !== 'null') || isMeantByAny(key, unknown, schema)) continue
    report.error('missing_key', { at: node.at, path: joinPath(path, key) }, `${schema.what} needs "${key}"`)
  }
  return { node, path, entries: seen, get: get as SpecObject<S>['get'] }
}

/** A misspelt key is one problem, not a missing key as well. */
function isMeantByAny(key: string, unknown: readonly string[], schema: Schema): boolean {
  const keys = Object.keys(schema.fields)
  return unknown.slice(0, MOST_MISSPELT).some(written => (schema.mistakes?.[written] ?? nearest(written, keys)) === key)
}

/** An object with more unknown keys than this is no object of ours. */
const MOST_MISSPELT = 20

function reportUnknownKey(schema: Schema, key: string, place: Place, report: Report): void {
  const removed = schema.removed?.[key]
  if (removed !== undefined) {
    report.error('removed_key', place, `"${key}" no longer exists`, removed)
    return
  }
  const meant = schema.mistakes?.[key]
  const hint = meant === undefined ? () => didYouMean(key, Object.keys(schema.fields)) : `write ${meant}`
  const message = `${schema.what} has no key "${key}"`
  if (schema.toleratesUnknown) report.warn('unknown_monitor_key', place, message, hint)
  else report.error('unknown_key', place, message, hint)
}

function readField(field: Field, entry: MapEntry, path: string, report: Report): unknown {
  const node = entry.value
  switch (field.is) {
    case 'text':
      return readText(field, node, path, report)
    case 'int':
      return readInt(field, node, path, report)
    case 'float':
      return readFloat(field, node, path, report)
    case 'bool':
      return node.kind === 'bool' ? node : wrongType('true or false', node, path, report)
    case 'textList':
      return readList(node, path, report, item => readText(field, item.node, item.path, report))
    case 'intList':
      return readList(node, path, report, item => readInt(field, item.node, item.path, report))
    case 'textMap':
      return readTextMap(field, node, path, report)
    case 'any':
      return node
    case 'map':
      return node.kind === 'map' ? node : wrongType('a map', node, path, report)
    case 'object':
      return readObject(field.of, node, path, report)
    case 'objects':
      if (node.kind !== 'list') return wrongType('a list', node, path, report)
      return node.items.flatMap((item, index) => readObject(field.of, item, `${path}[${index}]`, report) ?? [])
  }
}

interface TextRule {
  oneOf?: readonly string[]
  check?: TextCheck
}

function readText(rule: TextRule, node: SpecNode, path: string, report: Report): TextNode | undefined {
  if (node.kind !== 'text') return wrongType('text', node, path, report)
  const fault =
    rule.oneOf && !rule.oneOf.includes(node.value) ? notOneOf(rule.oneOf, node.value) : rule.check?.(node.value)
  if (!fault) return node
  report.error('bad_value', { at: node.at, path }, fault.message, fault.hint)
  return undefined
}

function notOneOf(allowed: readonly string[], written: string): Fault {
  return { message: `"${written}" is none of ${allowed.join(', ')}`, hint: didYouMean(written, allowed) }
}

function readInt(rule: { min?: number; max?: number }, node: SpecNode, path: string, report: Report) {
  if (node.kind !== 'int') return wrongType('an integer', node, path, report)
  const { value } = node
  if (typeof value === 'bigint') {
    report.error('bad_value', { at: node.at, path }, `${value} is too large`)
    return undefined
  }
  if (isOutside(value, rule)) {
    report.error('bad_value', { at: node.at, path }, `${value} is out of range`, rangeHint(rule))
    return undefined
  }
  return { ...node, value }
}

function isOutside(value: number, rule: { min?: number; max?: number }): boolean {
  return value < (rule.min ?? Number.NEGATIVE_INFINITY) || value > (rule.max ?? Number.POSITIVE_INFINITY)
}

function rangeHint(rule: { min?: number; max?: number }): string {
  return rule.max === undefined ? `${rule.min} or more` : `${rule.min} to ${rule.max}`
}

function readFloat(rule: { min?: number }, node: SpecNode, path: string, report: Report) {
  if (node.kind === 'int') return readInt(rule, node, path, report)
  if (node.kind !== 'float') return wrongType('a number', node, path, report)
  if (Number.isFinite(node.value) && !isOutside(node.value, rule)) return node
  report.error(
    'bad_value',
    { at: node.at, path },
    `${node.value} is out of range`,
    rule.min === undefined ? undefined : rangeHint(rule),
  )
  return undefined
}

interface Item {
  node: SpecNode
  path: string
}

function readList<T>(
  node: SpecNode,
  path: string,
  report: Report,
  readItem: (item: Item) => T | undefined,
): ListView<T> | undefined {
  if (node.kind !== 'list') return wrongType('a list', node, path, report)
  const items = node.items.map((item, index) => readItem({ node: item, path: `${path}[${index}]` }))
  let positions: Map<SpecNode, number> | undefined
  const indexOf = (item: SpecNode) => {
    positions ??= new Map(node.items.map((item, index) => [item, index]))
    return positions.get(item) ?? 0
  }
  return { items: items.filter(item => item !== undefined), indexOf }
}

function readTextMap(field: { checkKey?: TextCheck }, node: SpecNode, path: string, report: Report) {
  if (node.kind !== 'map') return wrongType('a map', node, path, report)
  const entries: TextEntry[] = []
  reportDuplicateKeys(node, path, report)
  for (const entry of node.entries) {
    const entryPath = joinPath(path, entry.key)
    const fault = field.checkKey?.(entry.key)
    if (fault) report.error('bad_value', { at: entry.keyAt, path: entryPath }, fault.message, fault.hint)
    const value = readText({}, entry.value, entryPath, report)
    if (value && !fault) entries.push({ ...entry, value })
  }
  return { node, entries }
}

/** Reports every key of a map of free keys that is given again. */
export function reportDuplicateKeys(node: MapNode, path: string, report: Report): void {
  const seen = new Set<string>()
  for (const { key, keyAt } of node.entries) {
    if (seen.has(key))
      report.error('duplicate_key', { at: keyAt, path: joinPath(path, key) }, `"${key}" is given twice`)
    seen.add(key)
  }
}

function wrongType(wanted: string, node: SpecNode, path: string, report: Report): undefined {
  report.error(
    'wrong_type',
    { at: node.at, path },
    `${wanted} is needed here, not ${kindWord(node)}`,
    typeHint(wanted, node),
  )
}

/** No type is ever converted into another, but the usual slip can be named. */
function typeHint(wanted: string, node: SpecNode): string | undefined {
  if (wanted === 'text' && (node.kind === 'int' || node.kind === 'float' || node.kind === 'bool'))
    return `write "${node.value}"`
  if (wanted === 'true or false' && isBoolWord(node))
    return `write ${node.value} without quotes (#${node.value} in KDL)`
  if (node.kind === 'text' && isNumberFor(wanted, node.value)) return `write ${node.value} without quotes`
  if (wanted === 'an integer' && node.kind === 'float' && Number.isInteger(node.value)) return `write ${node.value}`
  if (wanted === 'a list' && node.kind === 'text') return `write ["${node.value}"]`
  return undefined
}

function isBoolWord(node: SpecNode): node is TextNode {
  return node.kind === 'text' && (node.value === 'true' || node.value === 'false')
}

function isNumberFor(wanted: string, text: string): boolean {
  return (wanted === 'an integer' || wanted === 'a number') && /^-?\d+$/.test(text)
}

/** Key paths look like `jobs[3].parameters.seed`. */
export function joinPath(path: string, key: string): string {
  return path ? `${path}.${key}` : key
}

/** Where the value of a key stands; the start of the object when it has no such key. */
export function placeOf<S extends Schema>(object: SpecObject<S>, key: keyof S['fields'] & string): Place {
  return { at: object.entries.get(key)?.value.at ?? object.node.at, path: joinPath(object.path, key) }
}

/** Where the key itself stands. */
export function keyPlaceOf<S extends Schema>(object: SpecObject<S>, key: keyof S['fields'] & string): Place {
  return { at: object.entries.get(key)?.keyAt ?? object.node.at, path: joinPath(object.path, key) }
}

/** Where an item of a list stands. */
export function itemPlaceOf<S extends Schema>(
  object: SpecObject<S>,
  key: keyof S['fields'] & string,
  item: SpecNode,
): Place {
  const list = object.get[key] as ListView<SpecNode> | undefined
  return { at: item.at, path: `${joinPath(object.path, key)}[${list?.indexOf(item) ?? 0}]` }
}
