import { parseArgs } from 'node:util'
import { type ArgsDef, parseArgs as cittyParseArgs, type ParsedArgs } from 'citty'
import { nearest } from '../../api/core/spec/hints.ts'
import { usageError } from './error.ts'

/**
 * Refuses what citty would let pass: unknown options (it also takes camelCase and `--no-` forms), options without their value,
 * switches with one, and stray words. Throws a usage error that names the word and, where there is one, the nearest known option.
 */
export function checkArguments(
  definitions: ArgsDef,
  rawArgs: readonly string[],
  { repeatsLast = false }: { repeatsLast?: boolean } = {},
): void {
  const tokens = tokenize(definitions, rawArgs)
  for (const token of tokens) {
    if (token.kind !== 'option') continue
    const definition = definitions[token.name]
    if (definition === undefined || definition.type === 'positional') throw unknownOption(definitions, token.rawName)
    if (definition.type === 'boolean' && token.value !== undefined) {
      throw usageError(`Cannot use ${token.rawName} with a value as it is a switch: current value is ${token.value}`)
    }
    // Without an equals sign an option that follows was taken for the value; a negative number is one.
    const swallowed = token.inlineValue === false && /^-(?!\d|$)/.test(token.value ?? '')
    if (definition.type !== 'boolean' && (token.value === undefined || swallowed)) {
      throw usageError(`Cannot use ${token.rawName} without a value`)
    }
  }
  checkPositionals(
    definitions,
    tokens.flatMap(token => (token.kind === 'positional' ? [token.value] : [])),
    repeatsLast,
  )
}

/** Parses words that have been checked. An option whose own name begins with `no-` is one: citty takes it for the opposite of another. */
export function readArguments<T extends ArgsDef>(definitions: T, rawArgs: string[]): ParsedArgs<T> {
  const given = new Set(tokenize(definitions, rawArgs).map(token => (token.kind === 'option' ? token.name : undefined)))
  const negated = Object.keys(definitions).filter(name => name.startsWith('no-') && given.has(name))
  return Object.assign(cittyParseArgs<T>(rawArgs, definitions), Object.fromEntries(negated.map(name => [name, true])))
}

/** All values of an option that may be given several times; citty keeps only the last. */
export function allValues(definitions: ArgsDef, rawArgs: readonly string[], name: string): string[] {
  return tokenize(definitions, rawArgs).flatMap(token =>
    token.kind === 'option' && token.name === name && token.value !== undefined ? [token.value] : [],
  )
}

function tokenize(definitions: ArgsDef, rawArgs: readonly string[]) {
  const options = Object.fromEntries(
    Object.entries(definitions).flatMap(([name, definition]) => {
      if (definition.type === 'positional') return []
      const type: 'boolean' | 'string' = definition.type === 'boolean' ? 'boolean' : 'string'
      const [short] = [('alias' in definition ? definition.alias : undefined) ?? []].flat()
      return [[name, { type, ...(short === undefined ? {} : { short }) }]]
    }),
  )
  return parseArgs({ args: [...rawArgs], options, strict: false, allowPositionals: true, tokens: true }).tokens
}

function unknownOption(definitions: ArgsDef, written: string) {
  const known = Object.entries(definitions).flatMap(([name, { type }]) => (type === 'positional' ? [] : [name]))
  // A letter is near every short name.
  const near = written.startsWith('--') ? nearest(written.slice(2), known) : undefined
  return usageError(
    `Cannot use the option ${written} as it is unknown: ${near === undefined ? '--help lists the options' : `did you mean --${near}?`}`,
  )
}

function checkPositionals(definitions: ArgsDef, words: readonly string[], repeatsLast: boolean): void {
  const expected = Object.values(definitions).filter(definition => definition.type === 'positional')
  const missing = expected[words.length]
  if (missing !== undefined && missing.required !== false) {
    throw usageError(`Cannot go on without ${missing.valueHint}: --help shows an example`)
  }
  const stray = repeatsLast ? undefined : words[expected.length]
  if (stray !== undefined) throw usageError(`Cannot understand the word ${stray}: nothing is expected there`)
}
