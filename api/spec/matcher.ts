import type { CompiledPattern, Matcher, PatternFault } from '../core/spec/env.ts'

/** Compiled patterns hold memory outside of the heap, so only the latest are kept. */
const MOST_KEPT = 64

/**
 * Loads the engine of selectors: Rust's own regex crate, so patterns mean exactly what they mean to Torc, in linear time.
 * Loading takes some milliseconds; call it only for files that have patterns.
 */
export async function loadMatcher(): Promise<Matcher> {
  const { RRegex } = await import('rregex')
  const kept = new Map<string, InstanceType<typeof RRegex>>()

  const compile = (pattern: string): CompiledPattern | PatternFault => {
    let regex = kept.get(pattern)
    if (!regex) {
      try {
        regex = new RRegex(pattern)
      } catch (error) {
        return readFault(error instanceof Error ? error.message : String(error))
      }
      kept.set(pattern, regex)
      if (kept.size > MOST_KEPT) freeOldest()
    }
    const compiled = regex
    return { test: name => compiled.isMatch(name) }
  }

  const freeOldest = () => {
    const oldest = kept.entries().next().value
    if (!oldest) return
    kept.delete(oldest[0])
    oldest[1].free()
  }

  return { compile }
}

/** The engine prints the pattern and marks the place below it with a caret. */
const CARET_MESSAGE = /^regex parse error:\n {4}(.*)\n {4}( *)\^+\nerror: (.*)$/

function readFault(message: string): PatternFault {
  const match = CARET_MESSAGE.exec(message)
  if (!match) return { message: `the pattern cannot be used: ${lastLine(message)}`, at: undefined }
  const [, pattern = '', indent = '', reason = ''] = match
  const at = [...pattern].slice(0, indent.length).join('').length
  return { message: `the pattern cannot be used: ${reason}`, at }
}

function lastLine(message: string): string {
  return (message.split('\n').at(-1) ?? '').replace(/^error: /, '')
}
