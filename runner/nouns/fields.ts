import { readFileSync } from 'node:fs'
import type { ArgsDef } from 'citty'
import { usageError } from '../command-line/error.ts'
import { amountFlag, countFlag, wordFlag } from '../command-line/flags.ts'

/** How the text of an option becomes a value of the wire. */
export type FieldKind = 'text' | 'integer' | 'amount' | 'truth' | 'json' | 'ids' | 'texts' | 'variables'

export type Field = {
  about: string
  kind: FieldKind
  /** What stands for the value in help; the kind says it unless given. Words joined by `|` are all there are. */
  hint?: string
  /** Must be given when one is created. */
  required?: boolean
  /** Can only be set while it is created, or only afterwards. */
  only?: 'create' | 'update'
}

/** Fields or filters by their name on the wire; the option has the same name with hyphens. */
export type Fields = Readonly<Record<string, Field>>

type Given = Record<string, unknown>

const HINTS: Record<FieldKind, string> = {
  text: 'TEXT',
  integer: 'N',
  amount: 'N',
  truth: 'true|false',
  json: 'JSON|@FILE',
  ids: 'ID,…',
  texts: 'TEXT,…',
  variables: 'NAME=VALUE,…',
}

export const optionOf = (wireName: string): string => wireName.replaceAll('_', '-')

/** The options of fields in citty's form. */
export function optionsOf(fields: Fields): ArgsDef {
  return Object.fromEntries(
    Object.entries(fields).map(([name, { about, kind, hint, required }]) => [
      optionOf(name),
      { type: 'string', valueHint: hint ?? HINTS[kind], description: required ? `${about} (required)` : about },
    ]),
  )
}

/** Values of the wire from the options that were given. Throws a usage error for one that cannot be read. */
export function readFields(fields: Fields, given: Given): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, field]) => {
      const text = given[optionOf(name)]
      return typeof text === 'string' ? [[name, readValue(`--${optionOf(name)}`, text, field)]] : []
    }),
  )
}

/** Throws a usage error for the first field that has to be given and is not. */
export function needFields(fields: Fields, values: Record<string, unknown>): void {
  const missing = Object.keys(fields).find(name => fields[name]!.required && values[name] === undefined)
  if (missing !== undefined) throw usageError(`Cannot go on without --${optionOf(missing)}: --help shows an example`)
}

function readValue(option: string, text: string, { kind, hint }: Field): unknown {
  switch (kind) {
    case 'text':
      return hint?.includes('|') ? wordFlag(option, text, hint.split('|')) : text
    case 'integer':
      return countFlag(option, text, Number.MIN_SAFE_INTEGER)
    case 'amount':
      return amountFlag(option, text)
    case 'truth':
      return wordFlag(option, text, ['true', 'false']) === 'true'
    case 'json':
      return readJson(option, text)
    case 'ids':
      return listOf(text).map(id => countFlag(option, id, 1))
    case 'texts':
      return listOf(text)
    case 'variables':
      return Object.fromEntries(listOf(text).map(pair => readVariable(option, pair)))
  }
}

/** An empty text is an empty list. */
const listOf = (text: string): string[] => (text === '' ? [] : text.split(',').map(part => part.trim()))

function readVariable(option: string, pair: string): [string, string] {
  const at = pair.indexOf('=')
  if (at > 0) return [pair.slice(0, at), pair.slice(at + 1)]
  throw usageError(`Cannot read ${option} as it must be NAME=VALUE: current value is ${pair}`)
}

function readJson(option: string, text: string): unknown {
  const source = text.startsWith('@') ? readText(option, text.slice(1)) : text
  try {
    return JSON.parse(source)
  } catch (error) {
    throw usageError(`Cannot read ${option} as it is not JSON: ${error instanceof Error ? error.message : error}`)
  }
}

function readText(option: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : error
    throw usageError(`Cannot read the file of ${option}: ${path} (${code})`)
  }
}
