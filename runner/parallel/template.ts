import { quoteForShell } from '../../api/core/spec/exec.ts'

/** One job: its number from 1, and its values. */
export type Item = { seq: number; values: readonly string[] }

type Change = '' | '.' | '/' | '//' | '/.'

const REPLACEMENT = /\{(?:(\d*)(\/\/|\/\.|\/|\.)?|(#)|(%))\}/g

/** Stands in a command for the number of the slot, which is known only when the job starts. */
export const SLOT = '{%}'

export type Template = {
  render(item: Item): string
  /** Whether what stands for a slot in the command is to be replaced; it may be part of a value. */
  usesSlot: boolean
}

/**
 * Puts values into a command: `{}` all of them, `{2}` one, `{.}` without its extension, `{/}` without its directory, `{//}` only that, `{/.}`
 * without both, `{#}` the job's number. Values are quoted for the shell. A command without any of these gets ` {}` at its end; no command at
 * all means that the values are commands.
 */
export function createTemplate(words: readonly string[], quoteWords: boolean): Template {
  if (words.length === 0) return { render: ({ values }) => values.join(' '), usesSlot: false }
  const written = words.map(word => (quoteWords ? quoteAround(word) : word)).join(' ')
  const command = written.search(REPLACEMENT) < 0 ? `${written} {}` : written
  const render = ({ seq, values }: Item) =>
    command.replace(REPLACEMENT, (_, position: string, change: Change = '', isSeq?: string, isSlot?: string) => {
      if (isSeq !== undefined) return String(seq)
      if (isSlot !== undefined) return SLOT
      if (position !== '') return quoted(values[Number(position) - 1], change)
      return values.map(value => quoted(value, change)).join(' ')
    })
  return { render, usesSlot: command.includes(SLOT) }
}

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
