import { configPlaces, readConfigFiles } from '../config/files.ts'
import { fill } from '../config/fill.ts'
import { resolveSettings } from '../config/resolve.ts'
import type { ControlPlaneFlags } from '../control-plane.ts'
import { VERBS } from '../verbs.ts'
import { type Expected, expectedAt, type Word } from './find.ts'
import { jobNames, workflowNames } from './names.ts'

/** The options that say whom to ask. */
const WHERE = ['url', 'output-dir', 'db', 'ca-cert'] as const

/** Lines for a shell: what may stand where the last word is begun. Never fails: what cannot be learnt is left out. */
export async function answer(words: readonly string[], env: NodeJS.ProcessEnv): Promise<string[]> {
  const joined = joinAtEquals(words)
  const before = joined.slice(0, -1)
  const current = joined.at(-1) ?? ''
  const lines: string[] = []
  for (const expected of await expectedAt(VERBS, before, current)) {
    lines.push(...(await linesOf(expected, before, current, env)))
  }
  return [...new Set(lines)]
}

/** bash breaks words at an equals sign: `--format`, `=`, `js`. What is completed then is the value alone. */
function joinAtEquals(words: readonly string[]): string[] {
  if (words.at(-1) === '=') return [...words.slice(0, -1), '']
  return words.filter(word => word !== '=')
}

async function linesOf(
  expected: Expected,
  before: readonly string[],
  current: string,
  env: NodeJS.ProcessEnv,
): Promise<string[]> {
  switch (expected.kind) {
    case 'files':
    case 'directories':
      return [`:${expected.kind}`]
    case 'words':
      return beginning(expected.words, current)
    case 'workflows':
      return beginning(await workflowNames(flagsOf(before, env)), current)
    case 'jobs':
      return beginning(await jobNames(flagsOf(before, env), expected.workflow, current), current)
  }
}

const beginning = (words: readonly Word[], current: string): string[] =>
  words
    // A line break or a tab in a name would be read as two answers.
    .filter(({ text }) => text.startsWith(current) && !/[\n\t]/.test(text))
    .map(({ text, about }) => `${text}\t${about.replace(/\s+/g, ' ')}`)

function flagsOf(before: readonly string[], env: NodeJS.ProcessEnv): ControlPlaneFlags {
  const flags: Record<string, unknown> = {}
  for (const name of WHERE) {
    const at = before.lastIndexOf(`--${name}`)
    const inline = before.findLast(word => word.startsWith(`--${name}=`))
    const value = inline?.slice(name.length + 3) ?? (at < 0 ? undefined : before[at + 1])
    if (value !== undefined) flags[name] = value
  }
  try {
    fill(flags, WHERE, resolveSettings(readConfigFiles(configPlaces(env, process.cwd())), env))
  } catch {
    // A configuration file with a mistake is told by every command; here only names are missing.
  }
  return flags
}
