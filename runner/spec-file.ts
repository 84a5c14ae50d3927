import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { Diagnostic, ExpandedWorkflow, SpecSummary } from '../api/core/spec/types.ts'
import { usageError } from './command-line/error.ts'
import { nearPath } from './near-path.ts'
import { readStandardInput, STANDARD_INPUT } from './standard-input.ts'
import { whyUnreadable } from './text-file.ts'
import { callerName } from './user.ts'

/** A workflow file as the commands use it. */
export type SpecFile = {
  /** Absolute: with the hash it names the workflow that was made of the file before. */
  path: string
  /** Undefined when problems are in the way. */
  workflow: ExpandedWorkflow | undefined
  /** Of the expansion, so that comments and layout do not count. */
  hash: string | undefined
  errors: string[]
  warnings: string[]
  summary: SpecSummary
  diagnostics: readonly Diagnostic[]
}

/**
 * Reads, checks and expands a workflow file; its problems are lines `file:line:column: …`. Throws a usage error when the file itself
 * cannot be read. `skipChecks` lets pass what does not fit the file's schedulers; `text`
 * is what stands in the file, for whoever has read it already.
 */
export async function readSpecFile(
  path: string,
  cwd: string,
  skipChecks = false,
  text: string = readWorkflowText(path, cwd),
): Promise<SpecFile> {
  const [{ loadSpec }, { formatDiagnostic }, { canonicalExpansion }, { SKIPPABLE_CODES }] = await Promise.all([
    import('../api/spec/load.ts'),
    import('../api/core/spec/report.ts'),
    import('../api/core/spec/canonical.ts'),
    import('../api/core/spec/types.ts'),
  ])
  const absolute = resolve(cwd, path)
  const { workflow, diagnostics, summary } = await loadSpec(text, {
    fileName: path === STANDARD_INPUT ? '<stdin>' : nearPath(absolute, cwd),
    readText: name => besideSpec(name, cwd, absolute, found => readFileSync(found, 'utf8')),
    mtime: createTimes(cwd),
    caller: callerName(),
  })
  const skippable: readonly string[] = skipChecks ? SKIPPABLE_CODES : []
  const errors = diagnostics.filter(({ severity, code }) => severity === 'error' && !skippable.includes(code))
  const warnings = diagnostics.filter(diagnostic => !errors.includes(diagnostic))
  const usable = errors.length === 0 ? workflow : undefined
  return {
    path: absolute,
    workflow: usable,
    hash: usable && createHash('sha256').update(canonicalExpansion(usable)).digest('hex'),
    errors: errors.map(formatDiagnostic),
    warnings: warnings.map(formatDiagnostic),
    summary,
    diagnostics,
  }
}

/** The text of a workflow file. Throws a usage error when it cannot be read. */
export function readWorkflowText(path: string, cwd: string): string {
  if (path === STANDARD_INPUT) return needText(readStandardInput('a workflow file'))
  try {
    return readFileSync(resolve(cwd, path), 'utf8')
  } catch (error) {
    throw usageError(`Cannot read the workflow file ${path}: ${whyUnreadable(error)}`)
  }
}

function needText(text: string): string {
  if (text.trim() !== '') return text
  throw usageError('Cannot read a workflow file from standard input as nothing comes')
}

/** Seconds since 1970. Most outputs are not there yet: asking without an exception is several times as fast. */
/**
 * When files were modified, seconds since the epoch; undefined for those that are not there. A workflow names thousands in a few
 * directories, and before its first run those are mostly missing: then nothing in them is asked for.
 */
function createTimes(cwd: string): (name: string) => number | undefined {
  const isThere = new Map<string, boolean>()
  const find = (path: string) => ifThere(() => statSync(path, { throwIfNoEntry: false }))
  return name => {
    const directory = name.slice(0, name.lastIndexOf('/') + 1)
    let known = isThere.get(directory)
    if (known === undefined) {
      known = find(resolve(cwd, directory)) !== undefined
      isThere.set(directory, known)
    }
    const found = known ? find(resolve(cwd, name)) : undefined
    return found && found.mtimeMs / 1000
  }
}

/** Files named in a spec are looked for in the working directory, then beside the spec (spec-format.md 26.5). */
function besideSpec<T>(name: string, cwd: string, specPath: string, read: (path: string) => T): T | undefined {
  return ifThere(() => read(resolve(cwd, name))) ?? ifThere(() => read(resolve(dirname(specPath), name)))
}

function ifThere<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
