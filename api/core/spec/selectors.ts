import type { Matcher, PatternFault } from './env.ts'
import type { NameIndex } from './names.ts'
import { asciiForm, asLiteral, asPlainExpression, type LiteralPattern, repeatCount, splitPattern } from './pattern.ts'

export type Selection = { indices: readonly number[] } | { fault: PatternFault }

/** Finds the names that a pattern matches; a pattern is searched in a name, not matched against the whole. */
export type Select = (pattern: string) => Selection

/** Work that all patterns of one file may cost, in names that the engine tests. */
export interface SelectionBudget {
  left: number
}

/** About a second of the engine; only a file with thousands of patterns without `^` gets there. */
export const SELECTION_BUDGET = 10_000_000

/** Compiling a pattern costs as much as testing this many names; more when its classes cover all of Unicode. */
const COMPILE_COST = 3_000
const UNICODE_COMPILE_COST = 60_000

/** Counts in a pattern make it larger: each tenth copy of a part costs as much as the pattern itself. */
const REPEATS_PER_COST = 10

/** Looking for a literal costs this part of a test by the engine. */
const LITERAL_COST = 0.25

/** A pattern cannot do without the engine, and none was given. */
export class EngineNeeded extends Error {
  constructor() {
    super('Cannot select by patterns as no matcher was given')
  }
}

const ASCII = /^[\0-\x7F]*$/

const TOO_EXPENSIVE: PatternFault = {
  message: 'the patterns of this file need too much work: begin them with ^ and a literal text',
  at: undefined,
}

/**
 * Makes the selection for one list of names. Each distinct pattern is looked at once; patterns that are a literal between anchors, or
 * plain over names of ASCII, need no engine; all are narrowed by a literal after `^` in the sorted names. Throws EngineNeeded when a
 * pattern needs the engine and there is none.
 */
export function createSelector(
  { names, indexOf }: NameIndex,
  matcher: Matcher | undefined,
  budget: SelectionBudget,
): Select {
  const known = new Map<string, Selection>()
  const compiledBefore = new Set<string>()
  let isAscii: boolean | undefined
  let byStart: PrefixIndex | undefined
  let byEnd: PrefixIndex | undefined
  const startingWith = (text: string): number[] => {
    byStart ??= createPrefixIndex(names)
    return byStart(text)
  }
  const endingWith = (text: string): number[] => {
    byEnd ??= createPrefixIndex(names.map(reverse))
    return byEnd(reverse(text))
  }

  let all: number[] | undefined
  const everyIndex = (): number[] => {
    all ??= names.map((_, index) => index)
    return all
  }

  const selectLiteral = ({ text, atStart, atEnd }: LiteralPattern): readonly number[] => {
    if (atStart && atEnd) return indexOf.has(text) ? [indexOf.get(text)!] : []
    if (atStart) return startingWith(text)
    if (atEnd) return endingWith(text)
    budget.left -= names.length * LITERAL_COST
    return names.flatMap((name, index) => (name.includes(text) ? [index] : []))
  }

  const selectByPattern = (pattern: string): Selection => {
    const { prefix, rest, skip } = splitPattern(pattern)
    isAscii ??= names.every(name => ASCII.test(name))
    const selectBy = (matches: (part: string) => boolean): Selection => {
      const candidates = prefix === '' ? everyIndex() : startingWith(prefix)
      budget.left -= candidates.length
      return { indices: candidates.filter(index => matches(names[index]!.slice(skip))) }
    }
    const plain = isAscii ? asPlainExpression(asciiForm(rest)) : undefined
    if (plain) return selectBy(part => plain.test(part))
    if (!matcher) throw new EngineNeeded()
    if (!compiledBefore.has(rest)) {
      compiledBefore.add(rest)
      budget.left -= (isAscii ? COMPILE_COST : UNICODE_COMPILE_COST) * (1 + repeatCount(rest) / REPEATS_PER_COST)
      if (budget.left < 0) return { fault: TOO_EXPENSIVE }
    }
    const compiled = matcher.compile(isAscii ? asciiForm(rest) : rest)
    if ('message' in compiled) {
      const whole = matcher.compile(pattern)
      return { fault: 'message' in whole ? whole : compiled }
    }
    return selectBy(compiled.test)
  }

  const compute = (pattern: string): Selection => {
    if (budget.left <= 0) return { fault: TOO_EXPENSIVE }
    const literal = asLiteral(pattern)
    return literal ? { indices: selectLiteral(literal) } : selectByPattern(pattern)
  }

  return pattern => {
    const selection = known.get(pattern) ?? compute(pattern)
    known.set(pattern, selection)
    return selection
  }
}

type PrefixIndex = (prefix: string) => number[]

/** Finds the texts that begin with a prefix by searching in their sorted order. */
function createPrefixIndex(texts: readonly string[]): PrefixIndex {
  const sorted = texts.map((_, index) => index).sort((a, b) => (texts[a]! < texts[b]! ? -1 : 1))
  return prefix => {
    let low = 0
    let high = sorted.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (texts[sorted[middle]!]! < prefix) low = middle + 1
      else high = middle
    }
    const found: number[] = []
    while (low < sorted.length && texts[sorted[low]!]!.startsWith(prefix)) found.push(sorted[low++]!)
    return found
  }
}

/** Backwards by UTF-16 units: both sides of a comparison are turned the same way. */
function reverse(text: string): string {
  return text.split('').reverse().join('')
}
