/** Which of the two forms of the contract a client reads (contract/notes.md 19.1). */
export type Dialect = {
  /** How fields come that are text in the old form and objects in the new one (19.2). */
  json: 'text' | 'object' | 'as_given'
  /** Whether `reset_status` raises run_id; an old client raises it itself with a PUT of the status. */
  resetRaisesRunId: boolean
}

export type DialectOption = 'auto' | 'old' | 'new'

const OLD: Dialect = { json: 'text', resetRaisesRunId: false }
const NEW: Dialect = { json: 'object', resetRaisesRunId: true }
const UNKNOWN: Dialect = { json: 'as_given', resetRaisesRunId: true }
/** For documents that are read back: fields stay in the form they were given in. */
export const AS_STORED = UNKNOWN

const PYTHON_AGENT = /^OpenAPI-Generator\/0\.(\d+)\.\d+\/python$/
/** Both Rust clients send this; the new one sends X-Torc-Client-User as well. */
const RUST_AGENT = 'OpenAPI-Generator/v0.7.0/rust'

/** Tells the dialect of a request by its headers; a server option other than `auto` decides for everybody. */
export function dialectOf(header: (name: string) => string | undefined, option: DialectOption): Dialect {
  if (option !== 'auto') return option === 'old' ? OLD : NEW
  if (header('x-torc-client-user') !== undefined) return NEW
  const agent = header('user-agent')
  if (agent === undefined) return UNKNOWN
  if (agent === RUST_AGENT) return OLD
  const python = PYTHON_AGENT.exec(agent)
  return python === null ? UNKNOWN : pythonDialect(Number(python[1]))
}

/** The published Python packages with API 0.12 to 0.17 read text, from 0.20 on objects; run_id moved in 0.15. */
function pythonDialect(minor: number): Dialect {
  const json = minor >= 20 ? 'object' : minor <= 17 ? 'text' : 'as_given'
  return { json, resetRaisesRunId: minor >= 15 }
}
