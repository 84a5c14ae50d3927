import { intValue, type MapNode, type SpecNode } from './tree.ts'
import type { Json, JsonObject } from './types.ts'

/** Data as a tree that a writer can put into any format. It comes from no text, so it has no positions. */
export function toMapNode(object: JsonObject): MapNode {
  const entries = Object.entries(object).map(([key, value]) => ({ key, keyAt: 0, value: toNode(value) }))
  return { kind: 'map', at: 0, end: 0, entries }
}

function toNode(value: Json): SpecNode {
  const nowhere = { at: 0, end: 0 }
  if (value === null) return { kind: 'null', ...nowhere }
  if (Array.isArray(value)) return { kind: 'list', ...nowhere, items: value.map(toNode) }
  switch (typeof value) {
    case 'boolean':
      return { kind: 'bool', ...nowhere, value }
    case 'string':
      return { kind: 'text', ...nowhere, value }
    case 'number':
      return Number.isSafeInteger(value)
        ? { kind: 'int', ...nowhere, value: intValue(BigInt(value)) }
        : { kind: 'float', ...nowhere, value }
    default:
      return toMapNode(value)
  }
}
