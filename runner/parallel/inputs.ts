import { usageError } from '../command-line/error.ts'
import { isInputMark } from './arguments.ts'

/** Where values come from, and whether they go along with the values of the source before. */
export type Source = { isLinked: boolean } & ({ kind: 'values'; values: string[] } | { kind: 'file'; path: string })

/** Reads the words from the first `:::` on: `::: a b`, `:::: file`, and with `+` linked to the source before. */
export function parseInputs(words: readonly string[]): Source[] {
  const sources: Source[] = []
  for (let at = 0; at < words.length; ) {
    const mark = words[at]!
    const isLinked = mark.endsWith('+')
    if (isLinked && sources.length === 0) throw usageError(`Cannot use ${mark} first as it needs a source before it`)
    const next = words.findIndex((word, index) => index > at && isInputMark(word))
    const values = words.slice(at + 1, next < 0 ? undefined : next)
    at += values.length + 1
    if (!mark.startsWith('::::')) sources.push({ kind: 'values', values, isLinked })
    else if (values.length === 0) throw usageError(`Cannot use ${mark} without a file`)
    else sources.push(...values.map(path => ({ kind: 'file', path, isLinked }) as const))
  }
  return sources
}

/** The values of a file, each up to a sign of its own: a line end, a zero byte, or what was asked for. */
export function cutValues(text: string, end: string): string[] {
  const values = text.split(end)
  if (values.at(-1) === '') values.pop()
  return values
}

/** More would only fill the memory: a slip, such as one source too many. */
const MOST_JOBS = 1_000_000

/**
 * One list of values per job. Sources combine with each other, the last fastest; linked ones go along, and the shortest ends them. With
 * `linkAll` everything goes along and shorter sources begin again.
 */
export function combineInputs(
  sources: readonly { values: readonly string[]; isLinked: boolean }[],
  linkAll: boolean,
): string[][] {
  const groups = linkAll ? [wrapped(sources)] : grouped(sources)
  const count = groups.reduce((product, group) => product * group.length, 1)
  if (count > MOST_JOBS) throw usageError(`Cannot run ${count} combinations: ${MOST_JOBS} are the most`)
  return groups.reduce<string[][]>((jobs, group) => jobs.flatMap(job => group.map(values => [...job, ...values])), [[]])
}

function grouped(sources: readonly { values: readonly string[]; isLinked: boolean }[]): string[][][] {
  const groups: string[][][] = []
  for (const { values, isLinked } of sources) {
    const before = isLinked ? groups.pop() : undefined
    if (before === undefined) groups.push(values.map(value => [value]))
    else groups.push(before.slice(0, values.length).map((together, index) => [...together, values[index]!]))
  }
  return groups
}

function wrapped(sources: readonly { values: readonly string[] }[]): string[][] {
  if (sources.some(({ values }) => values.length === 0)) return []
  const length = Math.max(...sources.map(({ values }) => values.length))
  return Array.from({ length }, (_, index) => sources.map(({ values }) => values[index % values.length]!))
}
