import type { Report } from './report.ts'

/** What the expansion knows of the world; it looks at nothing else. */
export interface SpecEnv {
  fileName: string
  /** The text of a value file or table; undefined when there is none. */
  readText: (path: string) => string | undefined
  /** Seconds since 1970 of a file on the submitting machine; undefined when there is none. */
  mtime: (path: string) => number | undefined
  /** Who submits; `user` is warned about when it names somebody else. */
  caller?: string | undefined
  /** The engine behind selectors; needed only when needsMatcher says so. */
  matcher?: Matcher | undefined
  /** false leaves out the monitor that a file without `resource_monitor` gets. */
  defaultMonitor?: boolean | undefined
}

/** A linear-time engine for Rust's regex syntax. */
export interface Matcher {
  compile(pattern: string): CompiledPattern | PatternFault
}

export interface CompiledPattern {
  test: (name: string) => boolean
}

export interface PatternFault {
  message: string
  /** Index of the offending character in the pattern, when the engine tells it. */
  at: number | undefined
}

/** What every step of one expansion shares. */
export interface SpecContext {
  source: string
  env: SpecEnv
  report: Report
  /** Characters that copies may still use. */
  texts: { left: number }
}
