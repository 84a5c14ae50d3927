import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runFolder } from './run-folder.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const VARIABLE = 'HEADRACE_TESTED_BUILD'

/** The build that tests start: a copy, so that one that is made meanwhile does not pull the files from under a program that runs. */
export const program = (): string => process.env[VARIABLE]!

/** Before all tests, once for each project, and after them (vitest.config.ts). */
export default function setup(): () => void {
  const { path, isNew } = runFolder(VARIABLE, join(ROOT, 'node_modules/.cache'), 'headrace-program')
  if (isNew) {
    if (!existsSync(join(ROOT, 'dist/runner.cjs'))) execFileSync('node', [join(ROOT, 'scripts/build.mjs')])
    cpSync(join(ROOT, 'dist'), path, { recursive: true })
  }
  return () => rmSync(path, { recursive: true, force: true })
}
