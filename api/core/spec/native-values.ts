import type { Place, Report } from './report.ts'
import { kindWord, type SpecNode } from './tree.ts'
import type { Value } from './values.ts'

/** Values that are no text in the file: a scalar is one value, a list is taken as written. */
export function readNativeValues(node: SpecNode, place: Place, report: Report): readonly Value[] | undefined {
  const items = node.kind === 'list' ? node.items : [node]
  const values = items.map(nativeValue)
  const bad = values.indexOf(undefined)
  if (bad < 0) return values as Value[]
  const badNode = items[bad]!
  const path = node.kind === 'list' ? `${place.path}[${bad}]` : place.path
  report.error(
    'bad_parameter',
    { at: badNode.at, path },
    `a parameter value is a scalar or a list of scalars, not ${kindWord(badNode)}`,
  )
  return undefined
}

function nativeValue(node: SpecNode): Value | undefined {
  switch (node.kind) {
    case 'int':
      return BigInt(node.value)
    case 'float':
    case 'text':
      return node.value
    case 'bool':
      return String(node.value)
    case 'null':
    case 'list':
    case 'map':
      return undefined
  }
}
