import { checkData, toJson } from './data-json.ts'
import type { SpecContext } from './env.ts'
import { kindWord, type SpecNode } from './tree.ts'

/** The JSON text that `metadata` comes to, for a value that is fine. */
export function readMetadataText(node: SpecNode): string {
  return node.kind === 'text' && isJsonObject(node.value)
    ? JSON.stringify(JSON.parse(node.value))
    : JSON.stringify(toJson(node))
}

/** Reads `metadata`: a map, or the older text that holds one. Gives the JSON text of an object, key order kept. */
export function readMetadata(node: SpecNode | undefined, { report }: SpecContext): string | undefined {
  if (!node) return undefined
  const place = { at: node.at, path: 'metadata' }
  if (node.kind === 'map') {
    checkData(node, 'metadata', report)
    return JSON.stringify(toJson(node))
  }
  if (node.kind !== 'text') {
    report.error('wrong_type', place, `a map or a text is needed here, not ${kindWord(node)}`)
    return undefined
  }
  if (isJsonObject(node.value)) return node.value
  report.warn('bad_metadata', place, 'this text holds no JSON object, so it is stored as {"text": …}', 'write a map')
  return JSON.stringify({ text: node.value })
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}
