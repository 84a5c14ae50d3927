import { compareCodePoints } from './data-json.ts'
import type { ExpandedWorkflow } from './types.ts'

/**
 * One text per expansion, the same for every format and every order of keys: what the caller hashes to recognise a workflow that was
 * submitted before.
 */
export function canonicalExpansion(workflow: ExpandedWorkflow): string {
  return JSON.stringify(sortKeys(workflow))
}

/** Maps of texts are shared between jobs, so each is sorted once. */
function sortKeys(value: unknown, known = new Map<object, unknown>()): unknown {
  if (Array.isArray(value))
    return value.length === 0 || typeof value[0] !== 'object' ? value : value.map(item => sortKeys(item, known))
  if (typeof value !== 'object' || value === null) return value
  const done = known.get(value)
  if (done) return done
  const entries = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => compareCodePoints(a, b))
  const sorted = Object.fromEntries(entries.map(([key, member]) => [key, sortKeys(member, known)]))
  known.set(value, sorted)
  return sorted
}
