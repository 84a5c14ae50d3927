import { isJsonObject } from '../contract/fields.ts'
import type { Dialect } from '../dialect.ts'

/**
 * Gives a field that is text in the old contract and an object in the new one in the form the client reads (contract/notes.md 19.2). Null
 * when a reader of objects cannot be given one: its whole list would fail on a text.
 */
export function inDialect(stored: string, isObject: boolean, { json }: Dialect): unknown {
  return json === 'text' || (json === 'as_given' && !isObject) ? stored : parseObject(stored)
}

function parseObject(text: string): unknown {
  try {
    const parsed: unknown = JSON.parse(text)
    return isJsonObject(parsed) ? parsed : null
  } catch {
    return null
  }
}
