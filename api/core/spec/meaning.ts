import { toCompactJson } from './data-json.ts'
import { WORKFLOW } from './keys.ts'
import { readMetadataText } from './metadata.ts'
import type { Schema } from './schema.ts'
import type { MapNode, SpecNode } from './tree.ts'

/**
 * One text for everything that a file says before expansion, the same for every format and every order of known keys. Two files of the
 * same text are the same workflow; keys that are null or empty lists count as absent, as they do for every reader.
 */
export function meaningOf(root: MapNode): string {
  return JSON.stringify(ofObject(WORKFLOW, root))
}

function ofObject(schema: Schema, map: MapNode): unknown {
  const known = map.entries.flatMap(({ key: written, value }): [string, unknown][] => {
    const key = schema.aliases?.[written] ?? written
    if (value.kind === 'null' || (value.kind === 'list' && value.items.length === 0)) return []
    return [[key, ofKey(schema, key, value)]]
  })
  return known.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
}

function ofKey(schema: Schema, key: string, value: SpecNode): unknown {
  const field = Object.hasOwn(schema.fields, key) ? schema.fields[key] : undefined
  if (field?.is === 'object' && value.kind === 'map') return ofObject(field.of, value)
  if (field?.is === 'objects' && value.kind === 'list') {
    return value.items.map(item => (item.kind === 'map' ? ofObject(field.of, item) : ofFree(item)))
  }
  if (key === 'metadata') return readMetadataText(value)
  if (field?.is === 'any') return toCompactJson(value)
  if (key === 'parameters' && value.kind === 'map') {
    return value.entries.map(entry => [entry.key, ofParameter(entry.value)])
  }
  return ofFree(value)
}

/** A list of one value is that value, but for texts. */
function ofParameter(value: SpecNode): unknown {
  if (value.kind !== 'list' || value.items.length !== 1) return ofFree(value)
  const [item] = value.items
  return item?.kind === 'text' ? ['text', `['${item.value}']`] : ofFree(item!)
}

/** Order counts here: parameters combine in the order written. */
function ofFree(node: SpecNode): unknown {
  switch (node.kind) {
    case 'map':
      return node.entries.map(({ key, value }) => [key, ofFree(value)])
    case 'list':
      return { items: node.items.map(ofFree) }
    case 'null':
      return [node.kind]
    default:
      return [node.kind, Object.is(node.value, -0) ? '-0' : String(node.value)]
  }
}
