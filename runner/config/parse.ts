import { usageError } from '../command-line/error.ts'

export type Line = { key: string; value: string; line: number }

const ASSIGNMENT = /^([A-Za-z0-9_-]+)\s*=\s*(.*)$/
/** A quoted text of either kind or a bare word, then nothing but a comment. */
const VALUE = /^("(?:[^"\\]|\\.)*"|'[^']*'|[^\s"'#]+)\s*(?:#.*)?$/

/**
 * Reads a configuration file: lines `name = value` in TOML, whose texts, numbers and truth values it takes; sections and lists it
 * does not. Throws a usage error that names file and line.
 */
export function parseConfig(text: string, path: string): Line[] {
  return text.split('\n').flatMap((raw, index) => {
    const trimmed = raw.trim()
    if (trimmed === '' || trimmed.startsWith('#')) return []
    const where = `${path}:${index + 1}`
    const [, key, rest] = ASSIGNMENT.exec(trimmed) ?? []
    if (key === undefined) throw usageError(`Cannot read ${where} as a line must be \`name = value\`: ${trimmed}`)
    const [, value] = VALUE.exec(rest!) ?? []
    if (value === undefined)
      throw usageError(`Cannot read ${where} as ${key} must be a text in quotes, a number, true or false`)
    return [{ key, value: unquote(value, where), line: index + 1 }]
  })
}

function unquote(value: string, where: string): string {
  if (value.startsWith("'")) return value.slice(1, -1)
  if (!value.startsWith('"')) return value
  try {
    return JSON.parse(value)
  } catch {
    throw usageError(`Cannot read ${where} as its text has an escape that is none: ${value}`)
  }
}
