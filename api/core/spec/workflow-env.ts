import type { WORKFLOW } from './keys.ts'
import type { ParameterReader } from './parameters.ts'
import type { SpecObject } from './schema.ts'
import { compileTemplate, findPlaceholders, type Parameter, renderTemplate } from './template.ts'
import type { TextMap } from './types.ts'

/**
 * The environment of every job, with all shared parameters put in: one with exactly one value gives that value, one with several gives
 * its text as written. Undefined when the file has none.
 */
export function readWorkflowEnv(
  { get }: SpecObject<typeof WORKFLOW>,
  parameters: ParameterReader,
): TextMap | undefined {
  const entries = get.env?.entries ?? []
  if (entries.length === 0) return undefined
  const shared = get.parameters?.entries ?? []
  const names = new Set(shared.map(({ key }) => key))
  const placeholders = entries.flatMap(({ value }) => findPlaceholders(value.value, name => names.has(name)))
  const used = new Set(placeholders.map(({ name }) => name))
  const known = new Map<string, Parameter>()
  for (const entry of shared) {
    if (!used.has(entry.key)) continue
    const values = parameters.sharedValues(entry)
    const asWritten = entry.value.kind === 'text' ? entry.value.value : undefined
    const value = values?.length === 1 ? values[0] : asWritten
    known.set(entry.key, { name: entry.key, values: [value], stride: 1 })
  }
  return Object.fromEntries(
    entries.map(({ key, value }) => [key, renderTemplate(compileTemplate(value.value, known), 0)]),
  )
}
