import type { Entry, Node, Value } from '@bgotink/kdl'
import { getLocation } from '@bgotink/kdl'
import { readJson } from '../core/spec/json.ts'
import type { Field, Schema } from '../core/spec/schema.ts'
import { joinPath } from '../core/spec/schema.ts'
import type { ListNode, MapNode, ReaderProblem, SpecNode } from '../core/spec/tree.ts'
import { intValue } from '../core/spec/tree.ts'
import { keyOfName } from './kdl-names.ts'

/** A map in the making, and its lists by key. */
interface Block {
  map: MapNode
  lists: Map<string, ListNode>
}

/** Turns KDL nodes into the tree that the other formats give, by the tables of keys: nodes repeat where the others have lists. */
export class KdlShaper {
  readonly problems: ReaderProblem[] = []
  private readonly offsetOf: (at: number) => number

  constructor(offsetOf: (at: number) => number) {
    this.offsetOf = offsetOf
  }

  /** The nodes of a document or of a block as a map. */
  shapeObject(schema: Schema, nodes: readonly Node[], path: string, at: number, end: number): MapNode {
    return this.shapeBlock(schema, nodes, path, at, end).map
  }

  private shapeBlock(schema: Schema, nodes: readonly Node[], path: string, at: number, end: number): Block {
    const block: Block = { map: { kind: 'map', at, end, entries: [] }, lists: new Map() }
    for (const node of nodes) this.addNode(block, schema, node, path)
    return block
  }

  private addNode(block: Block, schema: Schema, node: Node, path: string): void {
    const key = keyOfName(schema, node.getName())
    const keyAt = this.startOf(node.name)
    const field = Object.hasOwn(schema.fields, key) ? schema.fields[key] : undefined
    const fieldPath = joinPath(path, key)
    if (!field) block.map.entries.push({ key, keyAt, value: { kind: 'null', at: keyAt, end: keyAt } })
    else if (field.is === 'objects') {
      const list = this.listUnder(block, key, keyAt)
      list.items.push(this.shapeItem(field.of, node, `${fieldPath}[${list.items.length}]`))
    } else if (isList(field)) {
      this.refuseChildren(node, fieldPath)
      const list = this.listUnder(block, key, keyAt)
      for (const entry of this.argumentsOf(node, fieldPath)) list.items.push(this.scalar(entry.value))
    } else block.map.entries.push({ key, keyAt, value: this.shapeValue(field, node, fieldPath) })
  }

  private listUnder({ map, lists }: Block, key: string, keyAt: number): ListNode {
    const known = lists.get(key)
    if (known) return known
    const list: ListNode = { kind: 'list', at: keyAt, end: keyAt, items: [] }
    lists.set(key, list)
    map.entries.push({ key, keyAt, value: list })
    return list
  }

  /** `job "n" k="v" { … }`: the first argument is the name, properties are the same as children. */
  private shapeItem(schema: Schema, node: Node, path: string): MapNode {
    const map = this.blockOf(schema, node, path)
    const [name, extra] = node.getArgumentEntries()
    const hasName = name && Object.hasOwn(schema.fields, 'name')
    if (hasName) map.entries.unshift({ key: 'name', keyAt: this.startOf(name.value), value: this.scalar(name.value) })
    const unexpected = hasName ? extra : name
    if (unexpected) this.refuse(unexpected, path)
    return map
  }

  private blockOf(schema: Schema, node: Node, path: string): MapNode {
    const block = this.shapeBlock(schema, node.children?.nodes ?? [], path, this.startOf(node), this.endOf(node))
    for (const entry of node.getPropertyEntries()) this.addProperty(block, schema, entry, path)
    return block.map
  }

  private addProperty(block: Block, schema: Schema, entry: Entry, path: string): void {
    const key = keyOfName(schema, entry.getName() ?? '')
    const keyAt = this.startOf(entry.name ?? entry)
    const field = Object.hasOwn(schema.fields, key) ? schema.fields[key] : undefined
    if (field && isList(field)) this.listUnder(block, key, keyAt).items.push(this.scalar(entry.value))
    else if (field?.is === 'any')
      block.map.entries.push({ key, keyAt, value: this.shapeData(key, entry, joinPath(path, key)) })
    else block.map.entries.push({ key, keyAt, value: this.scalar(entry.value) })
  }

  private shapeValue(field: Field, node: Node, path: string): SpecNode {
    if (field.is === 'object') {
      for (const argument of node.getArgumentEntries()) this.refuse(argument, path)
      return this.blockOf(field.of, node, path)
    }
    if (field.is === 'map' || field.is === 'textMap') return this.shapeFreeMap(node, path)
    if (field.is === 'any' && node.children) return this.shapeFreeMap(node, path)
    this.refuseChildren(node, path)
    const [argument, extra] = this.argumentsOf(node, path)
    if (extra) this.refuse(extra, path)
    if (!argument) {
      const at = this.startOf(node.name)
      this.problems.push({ code: 'wrong_type', place: { at, path }, message: `"${node.getName()}" needs a value` })
      return { kind: 'null', at, end: at }
    }
    return field.is === 'any' ? this.shapeData(node.getName(), argument, path) : this.scalar(argument.value)
  }

  /** A map of free keys: a child or property per key; several arguments are a list, a block a map. */
  private shapeFreeMap(node: Node, path: string): MapNode {
    const map: MapNode = { kind: 'map', at: this.startOf(node), end: this.endOf(node), entries: [] }
    for (const argument of node.getArgumentEntries()) this.refuse(argument, path)
    for (const entry of node.getPropertyEntries()) {
      map.entries.push({
        key: entry.getName() ?? '',
        keyAt: this.startOf(entry.name ?? entry),
        value: this.scalar(entry.value),
      })
    }
    for (const child of node.children?.nodes ?? []) {
      const key = child.getName()
      map.entries.push({ key, keyAt: this.startOf(child.name), value: this.shapeFree(child, joinPath(path, key)) })
    }
    return map
  }

  private shapeFree(node: Node, path: string): SpecNode {
    if (node.children || node.getPropertyEntries().length > 0) return this.shapeFreeMap(node, path)
    const values = node.getArgumentEntries().map(entry => this.scalar(entry.value))
    const at = this.startOf(node.name)
    if (values.length === 1) return values[0]!
    return { kind: 'list', at: values[0]?.at ?? at, end: values.at(-1)?.end ?? at, items: values }
  }

  /** Data of user_data is a text that holds JSON; the positions inside it are those of the text. */
  private shapeData(key: string, entry: Entry, path: string): SpecNode {
    const node = this.scalar(entry.value)
    if (key !== 'data' || node.kind !== 'text') return node
    const read = readJson(node.value, 'json')
    if ('root' in read) return repositioned(read.root, node)
    this.problems.push({
      code: 'bad_value',
      place: { at: node.at, path },
      message: `this text is no JSON: ${read.fault.message}`,
    })
    return { kind: 'null', at: node.at, end: node.end }
  }

  private argumentsOf(node: Node, path: string): Entry[] {
    for (const property of node.getPropertyEntries()) this.refuse(property, joinPath(path, property.getName() ?? ''))
    return node.getArgumentEntries()
  }

  private refuseChildren(node: Node, path: string): void {
    const child = node.children?.nodes[0]
    if (child) this.refuse(child, joinPath(path, child.getName()))
  }

  private refuse(element: Entry | Node, path: string): void {
    const name = element.getName()
    const message = name === null ? 'this value is one too many' : `"${name}" has no meaning here`
    this.problems.push({ code: 'unknown_key', place: { at: this.startOf(element), path }, message })
  }

  private scalar(value: Value): SpecNode {
    const at = this.startOf(value)
    const end = this.endOf(value)
    const content = value.getValue()
    if (content === null) return { kind: 'null', at, end }
    if (typeof content === 'boolean') return { kind: 'bool', at, end, value: content }
    if (typeof content === 'string') return { kind: 'text', at, end, value: content }
    const digits = integerDigits(value.representation ?? '')
    return digits === undefined
      ? { kind: 'float', at, end, value: content }
      : { kind: 'int', at, end, value: intValue(digits) }
  }

  private startOf(element: Parameters<typeof getLocation>[0]): number {
    return this.offsetOf(getLocation(element)?.start.offset ?? 0)
  }

  private endOf(element: Parameters<typeof getLocation>[0]): number {
    return this.offsetOf(getLocation(element)?.end.offset ?? 0)
  }
}

function isList(field: Field): boolean {
  return field.is === 'textList' || field.is === 'intList'
}

const INTEGER = /^([+-]?)(\d[\d_]*|0x[\da-fA-F][\da-fA-F_]*|0o[0-7][0-7_]*|0b[01][01_]*)$/

/** The integer that a number is written as; undefined for floats. */
function integerDigits(representation: string): bigint | undefined {
  const match = INTEGER.exec(representation)
  if (!match) return undefined
  const magnitude = BigInt(match[2]!.replaceAll('_', ''))
  return match[1] === '-' ? -magnitude : magnitude
}

function repositioned(node: SpecNode, { at, end }: SpecNode): SpecNode {
  if (node.kind === 'list')
    return { ...node, at, end, items: node.items.map(item => repositioned(item, { kind: 'null', at, end })) }
  if (node.kind !== 'map') return { ...node, at, end }
  const entries = node.entries.map(({ key, value }) => ({
    key,
    keyAt: at,
    value: repositioned(value, { kind: 'null', at, end }),
  }))
  return { ...node, at, end, entries }
}
