import { toCompactJson, toJson } from '../core/spec/data-json.ts'
import { WORKFLOW } from '../core/spec/keys.ts'
import { type Field, joinPath, type Schema } from '../core/spec/schema.ts'
import type { ListNode, MapEntry, MapNode, SpecNode } from '../core/spec/tree.ts'
import { keyOfName, nodeOfItem } from './kdl-names.ts'
import { kdlBlock, kdlName, kdlNumber, kdlString } from './kdl-text.ts'
import type { Notes } from './notes.ts'
import { Unwritable } from './unwritable.ts'

const INDENT = '    '

/** Writes a workflow file as KDL 2: a node per key, and per item where the others have lists. Throws `Unwritable`. */
export function writeKdl(root: MapNode, notes: Notes): string {
  const lines = new Writer(notes).writeObject(WORKFLOW, root, '', '')
  return [...lines, ...notes.atEnd.map(commentLine), ''].join('\n')
}

class Writer {
  private readonly notes: Notes

  constructor(notes: Notes) {
    this.notes = notes
  }

  /** The nodes that say what an object of the file says. */
  writeObject(schema: Schema, map: MapNode, indent: string, path: string): string[] {
    return map.entries.flatMap(entry => {
      const key = keyOfName(schema, entry.key)
      return this.writeKey(schema, key, entry, indent, joinPath(path, key))
    })
  }

  private writeKey(schema: Schema, key: string, entry: MapEntry, indent: string, path: string): string[] {
    const { value } = entry
    const field: Field | undefined = Object.hasOwn(schema.fields, key) ? schema.fields[key] : undefined
    if (field === undefined) throw new Unwritable(`${path}: KDL has no key of this name`)
    // Absent and null are the same for every key of the format.
    if (value.kind === 'null') return this.noted(entry, [], indent)
    if (value.kind === 'list') return this.writeList(schema, key, field, entry, value, indent, path)
    if (field.is === 'object' && value.kind === 'map') {
      const children = this.writeObject(field.of, value, `${indent}${INDENT}`, path)
      return this.noted(entry, blockOf(kdlName(key), children, indent), indent)
    }
    if (field.is === 'any') {
      const text = value.kind === 'text' && key === 'metadata' ? value.value : anyText(key, value)
      return this.noted(entry, [`${indent}${key} ${kdlString(text)}`], indent)
    }
    return this.noted(entry, this.writeFree(key, value, indent, path), indent)
  }

  private writeList(
    schema: Schema,
    key: string,
    field: Field,
    entry: MapEntry,
    list: ListNode,
    indent: string,
    path: string,
  ): string[] {
    if (field.is === 'any') return this.noted(entry, [`${indent}${key} ${kdlString(anyText(key, list))}`], indent)
    const name = nodeOfItem(schema, key)
    if (name === undefined) {
      const values = list.items.map((item, index) => scalarText(item, `${path}[${index}]`))
      const notes = list.items.flatMap(item => this.linesAbove(item, indent, true))
      return this.noted(entry, [...notes, `${indent}${[key, ...values].join(' ')}`], indent)
    }
    const nodes = list.items.flatMap((item, index) => {
      const itemPath = `${path}[${index}]`
      const lines = field.is === 'objects' ? this.writeItem(field.of, name, item, indent, itemPath) : undefined
      return this.noted(item, lines ?? this.writeFree(name, item, indent, itemPath), indent)
    })
    return this.noted(entry, nodes, indent)
  }

  /** `job "n" { … }`: the name stands in front. */
  private writeItem(schema: Schema, name: string, item: SpecNode, indent: string, path: string): string[] {
    if (item.kind !== 'map') throw new Unwritable(`${path}: this must be a map`)
    const named = item.entries.find(({ key, value }) => key === 'name' && value.kind === 'text')
    const rest = { ...item, entries: item.entries.filter(entry => entry !== named) }
    const inner = `${indent}${INDENT}`
    const notes = named ? this.linesAbove(named, inner, true) : []
    const head = named ? `${name} ${scalarText(named.value, path)}` : name
    return blockOf(head, [...notes, ...this.writeObject(schema, rest, inner, path)], indent)
  }

  /** A key with a value of any shape: a scalar, a map of free keys as a block, a list as several arguments. */
  private writeFree(key: string, value: SpecNode, indent: string, path: string): string[] {
    if (value.kind === 'map') {
      const inner = `${indent}${INDENT}`
      const children = value.entries.flatMap(entry =>
        this.noted(entry, this.writeFree(entry.key, entry.value, inner, joinPath(path, entry.key)), inner),
      )
      return blockOf(kdlName(key), children, indent)
    }
    if (value.kind === 'list') {
      const values =
        value.items.length === 1 ? [singleItem(value.items[0]!, path)] : value.items.map(item => scalarText(item, path))
      return [`${indent}${[kdlName(key), ...values].join(' ')}`]
    }
    const block = value.kind === 'text' ? kdlBlock(value.value, `${indent}${INDENT}`) : undefined
    return [`${indent}${kdlName(key)} ${block ?? scalarText(value, path)}`]
  }

  /** Adds what the file says about an entry or item in comments: above it, or behind it when it is one line. */
  private noted(of: MapEntry | SpecNode, lines: string[], indent: string): string[] {
    const isLine = lines.length === 1 && !lines[0]!.includes('\n')
    const behind = isLine ? this.notes.behind.get(of) : undefined
    const written = behind === undefined ? lines : [`${lines[0]} ${commentLine(behind)}`]
    return [...this.linesAbove(of, indent, !isLine), ...written]
  }

  private linesAbove(of: MapEntry | SpecNode, indent: string, withBehind: boolean): string[] {
    const behind = withBehind ? this.notes.behind.get(of) : undefined
    const lines = [...(this.notes.before.get(of) ?? []), ...(behind === undefined ? [] : [behind])]
    return lines.map(line => `${indent}${commentLine(line)}`)
  }
}

const commentLine = (line: string): string => (line === '' ? '//' : `// ${line}`)

function blockOf(head: string, children: string[], indent: string): string[] {
  return children.length === 0 ? [`${indent}${head}`] : [`${indent}${head} {`, ...children, `${indent}}`]
}

/** Data stands in a text that holds JSON; integers of any size and whole floats keep their form there. */
function anyText(key: string, value: SpecNode): string {
  return key === 'data' ? toCompactJson(value) : JSON.stringify(toJson(value))
}

function scalarText(node: SpecNode, path: string): string {
  switch (node.kind) {
    case 'null':
      return '#null'
    case 'bool':
      return `#${node.value}`
    case 'int':
      return kdlNumber(node.value, false)
    case 'float':
      return kdlNumber(node.value, true)
    case 'text':
      return kdlString(node.value)
    default:
      throw new Unwritable(`${path}: KDL has no lists or maps inside a list`)
  }
}

/** What the text form of a parameter reads as one text; a comma or quotes inside would change it. */
const SAFE_IN_LIST = /^[^\s,'"[\]](?:[^,'"[\]\n]*[^\s,'"[\]])?$/

/** A list of one value would be that value alone, which differs for texts: `["1:3"]` is no range. */
function singleItem(item: SpecNode, path: string): string {
  if (item.kind !== 'text') return scalarText(item, path)
  if (SAFE_IN_LIST.test(item.value)) return kdlString(`['${item.value}']`)
  throw new Unwritable(`${path}: KDL has no list of this one value`)
}
