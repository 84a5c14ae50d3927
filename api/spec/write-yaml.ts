import { Document, Pair, Scalar, YAMLMap, YAMLSeq } from 'yaml'
import type { MapNode, SpecNode } from '../core/spec/tree.ts'
import type { Notes } from './notes.ts'
import { isPlainText } from './yaml.ts'

type YamlNode = Scalar | YAMLMap | YAMLSeq

/** Lists of short values stand on one line. */
const LONGEST_LINE = 80

/** Writes a workflow file as YAML: texts of several lines as blocks, comments as far as there are any. */
export function writeYaml(root: MapNode, notes: Notes): string {
  const document = new Document()
  document.contents = new Writer(notes).write(root) as typeof document.contents
  if (notes.atEnd.length > 0) document.comment = commentText(notes.atEnd)
  return document.toString({ lineWidth: 0 })
}

class Writer {
  private readonly notes: Notes

  constructor(notes: Notes) {
    this.notes = notes
  }

  write(node: SpecNode): YamlNode {
    switch (node.kind) {
      case 'map':
        return this.writeMap(node)
      case 'list': {
        const list = new YAMLSeq()
        for (const item of node.items) {
          const written = this.write(item)
          annotate(written, written, this.notes.before.get(item), this.notes.behind.get(item))
          list.items.push(written)
        }
        list.flow = isShort(list)
        return list
      }
      case 'text':
        return textScalar(node.value)
      case 'float': {
        const scalar = new Scalar(node.value)
        // A float stays one although its value is whole.
        scalar.minFractionDigits = 1
        return scalar
      }
      case 'null':
        return new Scalar(null)
      default:
        return new Scalar(node.value)
    }
  }

  private writeMap(node: MapNode): YAMLMap {
    const map = new YAMLMap()
    for (const entry of node.entries) {
      const key = textScalar(entry.key)
      const value = this.write(entry.value)
      annotate(key, value, this.notes.before.get(entry), this.notes.behind.get(entry))
      map.items.push(new Pair(key, value))
    }
    return map
  }
}

/** A text that the reader would take for a number or a boolean is quoted; the library quotes what other readers would. */
function textScalar(value: string): Scalar {
  const scalar = new Scalar(value)
  if (!isPlainText(value)) scalar.type = Scalar.QUOTE_DOUBLE
  return scalar
}

function annotate(
  start: YamlNode,
  value: YamlNode,
  before: readonly string[] | undefined,
  behind: string | undefined,
): void {
  const fitsBehind = value instanceof Scalar || value.items.length === 0 || value.flow
  const lines = [...(before ?? []), ...(behind !== undefined && !fitsBehind ? [behind] : [])]
  if (lines.length > 0) start.commentBefore = commentText(lines)
  if (behind !== undefined && fitsBehind) value.comment = ` ${behind}`
}

const commentText = (lines: readonly string[]): string => lines.map(line => (line === '' ? '' : ` ${line}`)).join('\n')

function isShort(list: YAMLSeq): boolean {
  const items = list.items as YamlNode[]
  const length = items.reduce(
    (sum, item) => sum + (item instanceof Scalar ? String(item.value).length + 2 : LONGEST_LINE),
    0,
  )
  return length < LONGEST_LINE && items.every(item => !item.comment && !item.commentBefore)
}
