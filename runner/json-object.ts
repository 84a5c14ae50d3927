import type { JsonObject } from '../api/core/spec/types.ts'

/** Old clients store some fields as texts (contract/notes.md 19.2); one that holds no object is as good as absent. */
export function objectOf(value: JsonObject | string | null | undefined): JsonObject {
  if (typeof value !== 'string') return value ?? {}
  try {
    const parsed: unknown = JSON.parse(value)
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? (parsed as JsonObject) : {}
  } catch {
    return {}
  }
}
