import { findCommand } from '../command-line/find.ts'
import { isGroup } from '../command-line/is-group.ts'
import type { Entry, Verb } from '../command-line/verb.ts'
import { type OptionToken, positionalsOf, readTokens } from './tokens.ts'

/** What may stand at a place of a command line. */
export type Expected =
  | { kind: 'words'; words: readonly Word[] }
  | { kind: 'files' | 'directories' }
  /** Names that only the control plane knows. `workflow`: in which to look for jobs. */
  | { kind: 'workflows' | 'jobs'; workflow: string | undefined }

export type Word = { text: string; about: string }

const HELP: Word = { text: '--help', about: 'how to use it' }

/** What may stand where `current` is begun, after the words before it. Empty where nothing can be said. */
export async function expectedAt(
  table: Readonly<Record<string, Entry>>,
  before: readonly string[],
  current: string,
): Promise<Expected[]> {
  if (before.length === 0) return [wordsOf(table), { kind: 'words', words: [HELP, { text: '--version', about: '' }] }]
  const found = await findCommand(table, before).catch(() => undefined)
  if (found === undefined) return []
  if (isGroup(found.command)) return [wordsOf(found.command.verbs)]
  const own = expectedOfVerb(found.command, found.rest, current)
  // `results` alone may go on with a verb, or with what its fallback takes.
  const group = before.length === 1 ? (await table[before[0]!]!.load()).default : undefined
  return group !== undefined && isGroup(group) ? [wordsOf(group.verbs), ...own] : own
}

const wordsOf = (table: Readonly<Record<string, Entry>>): Expected => ({
  kind: 'words',
  words: Object.entries(table).map(([text, { about }]) => ({ text, about })),
})

function expectedOfVerb(verb: Verb, words: readonly string[], current: string): Expected[] {
  const { positionals, open, values } = readTokens(verb.args, words)
  if (open !== undefined) return valuesOf(open, values)
  const inline = /^--([^=]+)=/.exec(current)
  if (inline !== null) {
    const definition = verb.args[inline[1]!]
    return definition === undefined ? [] : withPrefix(inline[0], valuesOf(definition, values))
  }
  if (current.startsWith('-')) return [optionsOf(verb)]
  const expected = positionalsOf(verb.args)
  const next = expected[positionals] ?? (expected.at(-1)?.valueHint?.endsWith('…') ? expected.at(-1) : undefined)
  return next === undefined ? [] : valuesOf(next, values)
}

function optionsOf(verb: Verb): Expected {
  const own = Object.entries(verb.args).filter(([, definition]) => definition.type !== 'positional')
  const words = own.map(([name, { description }]) => ({ text: `--${name}`, about: description ?? '' }))
  return { kind: 'words', words: [...words, HELP] }
}

const withPrefix = (prefix: string, expected: readonly Expected[]): Expected[] =>
  expected.flatMap(one =>
    one.kind === 'words'
      ? [{ kind: 'words', words: one.words.map(word => ({ ...word, text: prefix + word.text })) }]
      : [],
  )

/** The hint of a value says what it may be: words joined by `|`, or what its name stands for. */
function valuesOf({ valueHint = '' }: OptionToken, values: Readonly<Record<string, string>>): Expected[] {
  const hint = valueHint.replace('…', '')
  switch (hint) {
    case 'WORKFLOW':
      return [{ kind: 'workflows', workflow: undefined }]
    case 'JOB':
      return [{ kind: 'jobs', workflow: values.workflow }]
    case 'DIR':
      return [{ kind: 'directories' }]
    case 'FILE':
    case 'PATH':
    case 'JSON|@FILE':
      return [{ kind: 'files' }]
    case 'FILE|ID':
      return [{ kind: 'files' }, { kind: 'workflows', workflow: undefined }]
    default:
      return hint === hint.toLowerCase() && hint !== ''
        ? [{ kind: 'words', words: hint.split('|').map(text => ({ text, about: '' })) }]
        : []
  }
}
