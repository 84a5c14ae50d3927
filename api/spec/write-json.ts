import type { MapEntry, SpecNode } from '../core/spec/tree.ts'
import { NO_NOTES, type Notes } from './notes.ts'

const INDENT = '  '
/** Lists of short values stand on one line. */
const LONGEST_LINE = 80
const BARE_KEY = /^[A-Za-z_$][A-Za-z0-9_$]*$/

/** Writes a workflow file as JSON, which has no comments and no NaN. */
export function writeJson(root: SpecNode): string {
  return `${new Writer(NO_NOTES, false).write(root, '')}\n`
}

/** Writes a workflow file as JSON5: bare keys, a comma after the last, and the comments. */
export function writeJson5(root: SpecNode, notes: Notes): string {
  const atEnd = notes.atEnd.map(line => `${commentLine(line)}\n`)
  return `${new Writer(notes, true).write(root, '')}\n${atEnd.join('')}`
}

class Writer {
  private readonly notes: Notes
  private readonly json5: boolean

  constructor(notes: Notes, json5: boolean) {
    this.notes = notes
    this.json5 = json5
  }

  write(node: SpecNode, indent: string): string {
    switch (node.kind) {
      case 'null':
        return 'null'
      case 'text':
        return JSON.stringify(node.value)
      case 'float':
        return floatText(node.value)
      case 'map': {
        const entries = node.entries.map(entry => ({ of: entry, text: this.entry(entry, `${indent}${INDENT}`) }))
        return this.block('{', entries, '}', indent)
      }
      case 'list': {
        const items = node.items.map(item => ({ of: item, text: this.write(item, `${indent}${INDENT}`) }))
        const line = `[${items.map(({ text }) => text).join(', ')}]`
        const isShort = line.length < LONGEST_LINE && !line.includes('\n') && !line.includes('{')
        return isShort && node.items.every(item => !this.isNoted(item)) ? line : this.block('[', items, ']', indent)
      }
      default:
        return String(node.value)
    }
  }

  private entry({ key, value }: MapEntry, indent: string): string {
    const name = this.json5 && BARE_KEY.test(key) ? key : JSON.stringify(key)
    return `${name}: ${this.write(value, indent)}`
  }

  private block(
    open: string,
    members: { of: MapEntry | SpecNode; text: string }[],
    close: string,
    indent: string,
  ): string {
    if (members.length === 0) return `${open}${close}`
    const inner = `${indent}${INDENT}`
    const lines = members.flatMap(({ of, text }, index) => {
      const comma = this.json5 || index < members.length - 1 ? ',' : ''
      const behind = this.notes.behind.get(of)
      return [
        ...(this.notes.before.get(of) ?? []).map(line => `${inner}${commentLine(line)}`),
        `${inner}${text}${comma}${behind === undefined ? '' : ` ${commentLine(behind)}`}`,
      ]
    })
    return [open, ...lines, `${indent}${close}`].join('\n')
  }

  private isNoted(item: SpecNode): boolean {
    return this.notes.before.has(item) || this.notes.behind.has(item)
  }
}

const commentLine = (line: string): string => (line === '' ? '//' : `// ${line}`)

/** A float stays one although its value is whole. JSON5 alone reads the words; JSON has no way to say them. */
function floatText(value: number): string {
  const text = Object.is(value, -0) ? '-0' : String(value)
  return /^-?\d+$/.test(text) ? `${text}.0` : text
}
