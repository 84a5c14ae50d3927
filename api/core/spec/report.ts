import { type Diagnostic, type ErrorCode, SKIPPABLE_CODES, type WarningCode } from './types.ts'

/** What a problem points at: an offset in the source and the key path there. */
export interface Place {
  at: number
  path: string
}

/** A fix, or how to find one: a search among names is made only for problems that are shown. */
export type Hint = string | undefined | (() => string | undefined)

/** Collects the problems of one file. */
export interface Report {
  error(code: ErrorCode, place: Place, message: string, hint?: Hint): void
  warn(code: WarningCode, place: Place, message: string, hint?: Hint): void
  /** Whether there was an error that cannot be skipped. */
  isBlocked(): boolean
  /** In the order of the file. */
  diagnostics(): Diagnostic[]
}

interface Problem {
  severity: 'error' | 'warning'
  code: ErrorCode | WarningCode
  place: Place
  message: string
  hint: Hint
}

/** Of each severity. Nobody reads more; a hostile file must not make us hold a million messages or look up a million hints. */
const MOST_PROBLEMS = 500

/** Hints that are searched among the names of the file. */
const MOST_SEARCHES = 100

/** Starts an empty report. A problem that the expansion meets once per copy of a template is kept once, for the first copy. */
export function createReport(source: string, file: string): Report {
  const problems = new Map<string, Problem>()
  const kept = { error: 0, warning: 0 }
  let isBlocked = false

  const add = (problem: Problem) => {
    const { severity, code, place } = problem
    if (severity === 'error' && !SKIPPABLE_CODES.some(skippable => skippable === code)) isBlocked = true
    const key = `${code} ${place.at} ${place.path}`
    if (kept[severity] >= MOST_PROBLEMS || problems.has(key)) return
    kept[severity]++
    problems.set(key, problem)
  }

  return {
    error: (code, place, message, hint) => add({ severity: 'error', code, place, message, hint }),
    warn: (code, place, message, hint) => add({ severity: 'warning', code, place, message, hint }),
    isBlocked: () => isBlocked,
    diagnostics() {
      const positionOf = createPositions(source)
      let searches = 0
      const textOf = (hint: Hint) =>
        typeof hint !== 'function' ? hint : searches++ < MOST_SEARCHES ? hint() : undefined
      return [...problems.values()]
        .sort((a, b) => a.place.at - b.place.at)
        .map(({ severity, code, place, message, hint }) => ({
          severity,
          code,
          message,
          file,
          ...positionOf(place.at),
          path: place.path || null,
          hint: textOf(hint) ?? null,
        }))
    },
  }
}

/** The one problem of a text that does not parse. */
export function syntaxDiagnostic(source: string, file: string, at: number, message: string, hint?: string): Diagnostic {
  const position = createPositions(source)(at)
  return { severity: 'error', code: 'syntax', message, file, ...position, path: null, hint: hint ?? null }
}

/** Makes a function from offset to line and column; both count from 1, columns in code points. */
function createPositions(source: string): (at: number) => { line: number; column: number } {
  const starts = [0]
  for (let at = source.indexOf('\n'); at >= 0; at = source.indexOf('\n', at + 1)) starts.push(at + 1)
  return at => {
    let low = 0
    let high = starts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (starts[middle]! <= at) low = middle
      else high = middle - 1
    }
    const column = [...source.slice(starts[low], at)].length + 1
    return { line: low + 1, column }
  }
}

/** One line for people: `flow.yaml:8:18: error: depends_on names no job "prepair" (jobs[1].depends_on[0]); did you mean "prepare"?` */
export function formatDiagnostic(diagnostic: Diagnostic): string {
  const { file, line, column, severity, message, path, hint } = diagnostic
  return `${file}:${line}:${column}: ${severity}: ${message}${path ? ` (${path})` : ''}${hint ? `; ${hint}` : ''}`
}
