import { quoteForShell } from '../../api/core/spec/exec.ts'
import { usageError } from '../command-line/error.ts'

/** One job: its number from 1, and its values. */
export type Item = { seq: number; values: readonly string[] }

type Change = '' | '.' | '/' | '//' | '/.'

const REPLACEMENT = /\{(?:(-?\d+)?(\/\/|\/\.|\/|\.)?|(#)|(%))\}/g
/** GNU parallel runs Perl there. */
const PERL = /\{=.*=\}/s

/** Stands in a command for the number of the slot, which is known only when the job starts. */
export const SLOT = '{%}'

export type Template = {
  render(item: Item): string
  /** Whether what stands for a slot in the command is to be replaced; it may be part of a value. */
  usesSlot: boolean
}

/**
 * Puts values into a command: `{}` all of them, `{2}` one, `{-1}` the last, `{.}` without its extension, `{/}` without its directory, `{//}` only that, `{/.}`
 * without both, `{#}` the job's number. Values are quoted for the shell. A command without any of these gets ` {}` at its end; no command at
 * all means that the values are commands. Throws a usage error at Perl.
 */
export function createTemplate(words: readonly string[], quoteWords: boolean): Template {
  if (words.length === 0) return { render: ({ values }) => values.join(' '), usesSlot: false }
  const written = words.map(word => (quoteWords ? quoteAround(word) : word)).join(' ')
  const perl = PERL.exec(written)?.[0]
  if (perl !== undefined)
    throw usageError(`Cannot replace ${perl} as no Perl runs here: change values within the command`)
  const command = written.search(REPLACEMENT) < 0 ? `${written} {}` : written
  const render = ({ seq, values }: Item) =>
    command.replace(
      REPLACEMENT,
      (_, position: string | undefined, change: Change = '', isSeq?: string, isSlot?: string) => {
        if (isSeq !== undefined) return String(seq)
        if (isSlot !== undefined) return SLOT
        if (position !== undefined) return quoted(valueAt(values, Number(position)), change)
        return values.map(value => quoted(value, change)).join(' ')
      },
    )
  return { render, usesSlot: command.includes(SLOT) }
}

/** Counted from 1, or back from -1. */
const valueAt = (values: readonly string[], position: number): string | undefined =>
  position < 0 ? values.at(position) : values[position - 1]

/** Quotes what is no replacement, since values come quoted already. */
function quoteAround(word: string): string {
  if (word === '') return "''"
  let text = ''
  let from = 0
  for (const mark of word.matchAll(REPLACEMENT)) {
    text += quoteIfAny(word.slice(from, mark.index)) + mark[0]
    from = mark.index + mark[0].length
  }
  return text + quoteIfAny(word.slice(from))
}

const quoteIfAny = (text: string): string => (text === '' ? '' : quoteForShell(text))

/** A position that no source has is nothing at all. */
const quoted = (value: string | undefined, change: Change): string =>
  value === undefined ? '' : quoteForShell(changed(value, change))

function changed(value: string, change: Change): string {
  switch (change) {
    case '':
      return value
    case '.':
      return value.replace(/\.[^/.]+$/, '')
    case '/':
      return value.replace(/^.*\//s, '')
    case '//':
      return directoryOf(value)
    case '/.':
      return value.replace(/^.*\//s, '').replace(/\.[^/.]+$/, '')
  }
}

function directoryOf(path: string): string {
  const trimmed = path.replace(/(?<=.)\/+$/s, '')
  const slash = trimmed.lastIndexOf('/')
  if (slash < 0) return '.'
  return trimmed.slice(0, slash).replace(/\/+$/, '') || '/'
}
