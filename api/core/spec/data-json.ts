import type { Report } from './report.ts'
import { joinPath, reportDuplicateKeys } from './schema.ts'
import type { SpecNode } from './tree.ts'
import type { Json } from './types.ts'

/** Compact JSON of a node: no blanks, keys in code-point order at every level, non-ASCII as is. NaN and infinities become null. */
export function toCompactJson(node: SpecNode, render: (text: string) => string = text => text): string {
  switch (node.kind) {
    case 'null':
      return 'null'
    case 'bool':
    case 'int':
      return String(node.value)
    case 'float':
      return floatJson(node.value)
    case 'text':
      return JSON.stringify(render(node.value))
    case 'list':
      return `[${node.items.map(item => toCompactJson(item, render)).join(',')}]`
    case 'map': {
      const members = new Map(node.entries.map(({ key, value }) => [key, value]))
      const keys = [...members.keys()].sort(compareCodePoints)
      return `{${keys.map(key => `${JSON.stringify(key)}:${toCompactJson(members.get(key)!, render)}`).join(',')}}`
    }
  }
}

/** Clients print whole floats with `.0`, so that a float stays one. */
function floatJson(value: number): string {
  if (!Number.isFinite(value)) return 'null'
  const text = Object.is(value, -0) ? '-0' : String(value)
  return /^-?\d+$/.test(text) ? `${text}.0` : text
}

/** The node as plain data, key order kept. */
export function toJson(node: SpecNode): Json {
  switch (node.kind) {
    case 'null':
      return null
    case 'float':
      return Number.isFinite(node.value) ? node.value : null
    case 'bool':
    case 'text':
      return node.value
    case 'int':
      return Number(node.value)
    case 'list':
      return node.items.map(toJson)
    case 'map':
      return Object.fromEntries(node.entries.map(({ key, value }) => [key, toJson(value)]))
  }
}

/** Reports keys given twice anywhere in free data. */
export function checkData(node: SpecNode, path: string, report: Report): void {
  if (node.kind === 'list')
    for (const [index, item] of node.items.entries()) checkData(item, `${path}[${index}]`, report)
  if (node.kind !== 'map') return
  reportDuplicateKeys(node, path, report)
  for (const { key, value } of node.entries) checkData(value, joinPath(path, key), report)
}

/** JavaScript compares UTF-16 units, which puts the emoji before the last of the basic plane; the order is that of code points. */
export function compareCodePoints(a: string, b: string): number {
  let at = 0
  while (at < a.length && at < b.length && a[at] === b[at]) at++
  const isInsidePair = at > 0 && isLowSurrogate(a, at) && isLowSurrogate(b, at)
  const from = isInsidePair ? at - 1 : at
  return (a.codePointAt(from) ?? -1) - (b.codePointAt(from) ?? -1)
}

function isLowSurrogate(text: string, at: number): boolean {
  const unit = text.charCodeAt(at)
  return unit >= 0xdc00 && unit <= 0xdfff
}
