import type { ArgsDef } from 'citty'

/** The part of a definition that completion looks at. */
export type OptionToken = { valueHint?: string; type?: string }

export type Tokens = {
  /** How many words are none of an option. */
  positionals: number
  /** The option whose value comes next. */
  open: OptionToken | undefined
  /** Values of the options before. */
  values: Record<string, string>
}

/** Reads an unfinished command line, whatever is wrong with it. */
export function readTokens(definitions: ArgsDef, words: readonly string[]): Tokens {
  const tokens: Tokens = { positionals: 0, open: undefined, values: {} }
  let openName: string | undefined
  for (const word of words) {
    if (openName !== undefined) {
      tokens.values[openName] = word
      openName = undefined
    } else if (word.startsWith('-') && word !== '-') {
      const [name, value] = nameOf(definitions, word)
      if (value !== undefined) tokens.values[name] = value
      else if (definitions[name] !== undefined && definitions[name].type !== 'boolean') openName = name
    } else tokens.positionals++
  }
  tokens.open = openName === undefined ? undefined : definitions[openName]
  return tokens
}

/** The positionals of a command, in order. */
export const positionalsOf = (definitions: ArgsDef): OptionToken[] =>
  Object.values(definitions).filter(definition => definition.type === 'positional')

function nameOf(definitions: ArgsDef, word: string): [string, string | undefined] {
  const [, name = '', value] = /^--([^=]+)(?:=(.*))?$/.exec(word) ?? []
  if (name !== '') return [name, value]
  const letter = word.slice(1, 2)
  const found = Object.entries(definitions).find(
    ([, definition]) => 'alias' in definition && definition.alias === letter,
  )
  return [found?.[0] ?? letter, word.length > 2 ? word.slice(2) : undefined]
}
