import { readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { SpecExpansion } from '../../api/core/spec/expand.ts'
import { type LoadOptions, loadSpec } from '../../api/spec/load.ts'

export const FIXTURES = fileURLToPath(new URL('../fixtures/spec/', import.meta.url))

export function readFixtureJson<T>(path: string): T {
  return JSON.parse(readFileSync(join(FIXTURES, path), 'utf8')) as T
}

/**
 * Loads a file of `specs/` with its folder as working directory; no file has a modification time. `text` takes the place of what the file
 * says.
 */
export function loadFixture(
  path: string,
  { text, ...options }: Partial<LoadOptions> & { text?: string } = {},
): Promise<SpecExpansion> {
  const folder = join(FIXTURES, 'specs', dirname(path))
  return loadSpec(text ?? readFileSync(join(FIXTURES, 'specs', path), 'utf8'), {
    fileName: basename(path),
    readText: name => readFileSync(join(folder, name), 'utf8'),
    mtime: () => undefined,
    ...options,
  })
}

/** Loads a text given in a test. */
export function loadText(text: string, options: Partial<LoadOptions> = {}): Promise<SpecExpansion> {
  return loadSpec(text, { fileName: 'flow.yaml', readText: () => undefined, mtime: () => undefined, ...options })
}

/** `code path` of every problem, in order. */
export function problemsOf({ diagnostics }: SpecExpansion): string[] {
  return diagnostics.map(({ code, path }) => `${code} ${path}`)
}
