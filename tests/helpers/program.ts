import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const VARIABLE = 'HEADRACE_TESTED_BUILD'

/** The build that tests start: a copy, so that one that is made meanwhile does not pull the files from under a program that runs. */
export const program = (): string => process.env[VARIABLE]!

/** Before all tests, once for each project, and after them (vitest.config.ts). */
export default function setup(): () => void {
  const copy = process.env[VARIABLE] ?? copyBuild()
  process.env[VARIABLE] = copy
  return () => rmSync(copy, { recursive: true, force: true })
}

function copyBuild(): string {
  if (!existsSync(join(ROOT, 'dist/runner.cjs'))) execFileSync('node', [join(ROOT, 'scripts/build.mjs')])
  const cache = join(ROOT, 'node_modules/.cache')
  mkdirSync(cache, { recursive: true })
  const copy = mkdtempSync(join(cache, 'headrace-program-'))
  cpSync(join(ROOT, 'dist'), copy, { recursive: true })
  return copy
}
